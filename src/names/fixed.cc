// Tables given as lines in the shape of the files of /etc. Names match as glibc's own reading of those files has it:
// hosts, networks and ethers without regard to case, services and protocols to the letter; of several lines for one
// name the first counts, but for hosts, which have all their addresses. A line that makes no sense is passed over, as
// there. Tested by tests/unit/names/fixed_test.cc.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>
#include <variant>

#include "names/names.hpp"
#include "names/unique.hpp"
#include "wire/ascii.hpp"

namespace weir::names {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

/// The words of a line up to a comment.
std::vector<std::string_view> words(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> out;
  for (auto begin = line.find_first_not_of(blanks); begin != line.npos; begin = line.find_first_not_of(blanks)) {
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(blanks), line.size());
    out.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return out;
}

std::string lower(std::string_view word) {
  std::string out(word);
  std::ranges::transform(out, out.begin(), wire::to_lower);
  return out;
}

/// The whole word as a number up to `limit`.
std::optional<std::uint32_t> number(std::string_view word, std::uint32_t limit, int base = 10) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  if (error != std::errc{} || end != word.data() + word.size() || value > limit) return std::nullopt;
  return value;
}

/// Six groups of one or two hexadecimal digits with colons between them.
std::optional<Mac> parse_mac(std::string_view word) {
  Mac out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto end = i + 1 < out.size() ? word.find(':') : word.size();
    if (end == word.npos || end > 2) return std::nullopt;
    const auto value = number(word.substr(0, end), 0xff, 16);
    if (!value) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(*value);
    word.remove_prefix(std::min(end + 1, word.size()));
  }
  return out;
}

/// glibc fills a network number up to four parts from the right: 10.1 is 10.1.0.0 (nss/nss_files/files-network.c).
std::optional<std::uint32_t> parse_network(std::string_view word) {
  std::string full(word);
  for (auto dots = std::ranges::count(full, '.'); dots < 3; ++dots) full += ".0";
  const in_addr_t value = inet_network(full.c_str());
  if (value == INADDR_NONE) return std::nullopt;
  return value;
}

using Address = std::variant<std::uint32_t, Ipv6>;

std::optional<Address> parse_address(const std::string& word) {
  in_addr v4;
  Ipv6 v6;
  if (inet_pton(AF_INET, word.c_str(), &v4) == 1) return ntohl(v4.s_addr);
  if (inet_pton(AF_INET6, word.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

void add(Addresses& to, const Address& address) {
  if (const auto* v4 = std::get_if<std::uint32_t>(&address)) to.ipv4.push_back(*v4);
  if (const auto* v6 = std::get_if<Ipv6>(&address)) to.ipv6.push_back(*v6);
}

template <class T>
using Table = std::unordered_map<std::string, T>;

Table<Addresses> read_hosts(const std::vector<std::string>& lines) {
  Table<Addresses> out;
  for (const std::string& line : lines) {
    const auto word = words(line);
    const auto address = word.empty() ? std::nullopt : parse_address(std::string(word[0]));
    if (!address) continue;
    for (std::size_t i = 1; i < word.size(); ++i) add(out[lower(word[i])], *address);
  }
  for (auto& [name, addresses] : out) {
    sort_unique(addresses.ipv4);
    sort_unique(addresses.ipv6);
  }
  return out;
}

Table<Mac> read_ethers(const std::vector<std::string>& lines) {
  Table<Mac> out;
  for (const std::string& line : lines) {
    const auto word = words(line);
    if (word.size() < 2) continue;
    if (const auto mac = parse_mac(word[0])) out.emplace(lower(word[1]), *mac);
  }
  return out;
}

Table<std::uint32_t> read_networks(const std::vector<std::string>& lines) {
  Table<std::uint32_t> out;
  for (const std::string& line : lines) {
    const auto word = words(line);
    const auto net = word.size() < 2 ? std::nullopt : parse_network(word[1]);
    if (!net) continue;
    for (std::size_t i = 0; i < word.size(); ++i)
      if (i != 1) out.emplace(lower(word[i]), *net);
  }
  return out;
}

using Transport = std::optional<std::uint16_t> Ports::*;

std::optional<Transport> parse_transport(std::string_view word) {
  if (word == "tcp") return &Ports::tcp;
  if (word == "udp") return &Ports::udp;
  return std::nullopt;
}

struct Service {
  std::uint16_t port;
  Transport transport;
};

/// "80/tcp"; nothing for transports whose services have no names in filters.
std::optional<Service> parse_service(std::string_view word) {
  const auto slash = word.find('/');
  if (slash == word.npos) return std::nullopt;
  const auto port = number(word.substr(0, slash), 0xffff);
  const auto transport = parse_transport(word.substr(slash + 1));
  if (!port || !transport) return std::nullopt;
  return Service{static_cast<std::uint16_t>(*port), *transport};
}

void add(Ports& to, Service service) {
  auto& slot = to.*service.transport;
  if (!slot) slot = service.port;
}

Table<Ports> read_services(const std::vector<std::string>& lines) {
  Table<Ports> out;
  for (const std::string& line : lines) {
    const auto word = words(line);
    const auto service = word.size() < 2 ? std::nullopt : parse_service(word[1]);
    if (!service) continue;
    for (std::size_t i = 0; i < word.size(); ++i)
      if (i != 1) add(out[std::string(word[i])], *service);
  }
  return out;
}

Table<std::uint32_t> read_protocols(const std::vector<std::string>& lines) {
  Table<std::uint32_t> out;
  for (const std::string& line : lines) {
    const auto word = words(line);
    const auto protocol = word.size() < 2 ? std::nullopt : number(word[1], 0xffffffff);
    if (!protocol) continue;
    for (std::size_t i = 0; i < word.size(); ++i)
      if (i != 1) out.emplace(word[i], *protocol);
  }
  return out;
}

class Fixed final : public Names {
 public:
  Fixed(const FixedTables& tables, std::shared_ptr<const Names> fallback)
      : hosts_(read_hosts(tables.hosts)),
        ethers_(read_ethers(tables.ethers)),
        networks_(read_networks(tables.networks)),
        services_(read_services(tables.services)),
        protocols_(read_protocols(tables.protocols)),
        fallback_(std::move(fallback)) {}

  Result<Addresses> host(const std::string& name) const override {
    return look_up<Addresses>(hosts_, lower(name), &Names::host, name);
  }
  Result<std::optional<Mac>> ether(const std::string& name) const override {
    return look_up<std::optional<Mac>>(ethers_, lower(name), &Names::ether, name);
  }
  Result<std::optional<std::uint32_t>> network(const std::string& name) const override {
    return look_up<std::optional<std::uint32_t>>(networks_, lower(name), &Names::network, name);
  }
  Result<Ports> port(const std::string& name) const override {
    return look_up<Ports>(services_, name, &Names::port, name);
  }
  Result<std::optional<std::uint32_t>> protocol(const std::string& name) const override {
    return look_up<std::optional<std::uint32_t>>(protocols_, name, &Names::protocol, name);
  }

 private:
  /// The row of `key`; else what `ask` of the fallback says of the name as it was written; else an empty answer.
  template <class Answer, class Row>
  Result<Answer> look_up(const Table<Row>& table, const std::string& key,
                         Result<Answer> (Names::*ask)(const std::string&) const, const std::string& name) const {
    if (const auto row = table.find(key); row != table.end()) return Answer(row->second);
    if (fallback_) return ((*fallback_).*ask)(name);
    return Answer{};
  }

  Table<Addresses> hosts_;
  Table<Mac> ethers_;
  Table<std::uint32_t> networks_;
  Table<Ports> services_;
  Table<std::uint32_t> protocols_;
  std::shared_ptr<const Names> fallback_;
};

}  // namespace

std::unique_ptr<Names> fixed_names(const FixedTables& tables, std::shared_ptr<const Names> fallback) {
  return std::make_unique<Fixed>(tables, std::move(fallback));
}

}  // namespace weir::names
