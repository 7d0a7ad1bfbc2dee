// The machine's tables through the C library, which asks whatever nsswitch.conf says: files, DNS and others. Only
// functions without shared state are called. Tested by tests/unit/names/system_test.cc.
#include <netdb.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "names/names.hpp"
#include "names/unique.hpp"

namespace weir::names {
namespace {

std::unexpected<Diagnostic> cannot_look_up(std::string_view what, const std::string& name, std::string_view why) {
  return fail(Code::System, {}, fmt::format("cannot look up {} '{}': {}", what, name, why),
              what == "host" ? "no name server answers: give the address, or name it in /etc/hosts" : "");
}

std::string message(int error) { return std::generic_category().message(error); }

// --- hosts ---

bool is_unknown_host(int status) {
  return status == EAI_NONAME
#ifdef EAI_NODATA
         || status == EAI_NODATA  // the name is there, but has no address
#endif
#ifdef EAI_ADDRFAMILY
         || status == EAI_ADDRFAMILY
#endif
      ;
}

Ipv6 address_of(const in6_addr& in) {
  Ipv6 out;
  std::memcpy(out.data(), &in, out.size());
  return out;
}

void add(Addresses& to, const sockaddr& from) {
  if (from.sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &from, sizeof in);
    to.ipv4.push_back(ntohl(in.sin_addr.s_addr));
  } else if (from.sa_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &from, sizeof in);
    to.ipv6.push_back(address_of(in.sin6_addr));
  }
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

// --- tables of which the C library hands out one entry at a time, through a buffer of ours ---

/// What is not a failure but an empty answer: no such entry, or no such table on this machine.
bool is_absent(int error) { return error == 0 || error == ENOENT; }

/// Calls `ask(entry, buffer, size, found)` with a buffer as large as it wants. The entry as `number(entry)`,
/// nothing when there is none, or the errno value that says what went wrong.
template <class Entry, class Ask, class Number>
auto entry_number(Ask ask, Number number) -> std::expected<std::optional<decltype(number(Entry{}))>, int> {
  std::vector<char> buffer(1024);
  for (;;) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = ask(&entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE) {
      buffer.resize(buffer.size() * 2);
    } else if (found) {
      return number(*found);
    } else if (is_absent(error)) {
      return std::nullopt;
    } else {
      return std::unexpected(error);
    }
  }
}

auto service_port(const std::string& name, const char* transport) {
  return entry_number<servent>(
      [&](servent* entry, char* buffer, std::size_t size, servent** found) {
        return getservbyname_r(name.c_str(), transport, entry, buffer, size, found);
      },
      [](const servent& entry) { return ntohs(static_cast<std::uint16_t>(entry.s_port)); });
}

/// getaddrinfo, which libpcap asks for services, takes a decimal number for one (`port \80`). It wraps beyond 65535; here
/// there is no such port.
std::optional<std::uint16_t> numeric_port(std::string_view name) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), port);
  return error == std::errc{} && end == name.data() + name.size() ? std::optional(port) : std::nullopt;
}

/// getnetbyname_r gives a second status, of the resolver; turned into an errno value here.
int ask_network(const std::string& name, netent* entry, char* buffer, std::size_t size, netent** found) {
  int status = 0;
  const int error = getnetbyname_r(name.c_str(), entry, buffer, size, found, &status);
  if (error == ERANGE || *found) return error;
  if (status == HOST_NOT_FOUND || status == NO_DATA) return 0;
  return error == 0 && status == TRY_AGAIN ? EAGAIN : error;
}

class System final : public Names {
 public:
  Result<Addresses> host(const std::string& name) const override {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;  // any one type, so that each address comes once
    hints.ai_protocol = IPPROTO_TCP;
    addrinfo* first = nullptr;
    const int status = getaddrinfo(name.c_str(), nullptr, &hints, &first);
    if (is_unknown_host(status)) return Addresses{};
    if (status == EAI_SYSTEM) return cannot_look_up("host", name, message(errno));
    if (status != 0) return cannot_look_up("host", name, gai_strerror(status));
    const std::unique_ptr<addrinfo, FreeAddresses> list(first);
    Addresses out;
    for (const addrinfo* at = list.get(); at; at = at->ai_next) add(out, *at->ai_addr);
    sort_unique(out.ipv4);
    sort_unique(out.ipv6);
    return out;
  }

  // ether_hostton does not tell a name that is not there from a table that cannot be read.
  Result<std::optional<Mac>> ether(const std::string& name) const override {
    ether_addr address{};
    if (ether_hostton(name.c_str(), &address) != 0) return std::nullopt;
    Mac out;
    std::memcpy(out.data(), &address, out.size());
    return out;
  }

  Result<std::optional<std::uint32_t>> network(const std::string& name) const override {
    const auto number = entry_number<netent>(
        [&](netent* entry, char* buffer, std::size_t size, netent** found) {
          return ask_network(name, entry, buffer, size, found);
        },
        [](const netent& entry) { return std::uint32_t{entry.n_net}; });
    if (!number) return cannot_look_up("network", name, message(number.error()));
    return *number;
  }

  Result<Ports> port(const std::string& name) const override {
    if (const auto number = numeric_port(name)) return Ports{number, number};
    Ports out;
    for (const auto& [transport, port] : {std::pair("tcp", &out.tcp), std::pair("udp", &out.udp)}) {
      const auto number = service_port(name, transport);
      if (!number) return cannot_look_up("service", name, message(number.error()));
      *port = *number;
    }
    return out;
  }

  Result<std::optional<std::uint32_t>> protocol(const std::string& name) const override {
    const auto number = entry_number<protoent>(
        [&](protoent* entry, char* buffer, std::size_t size, protoent** found) {
          return getprotobyname_r(name.c_str(), entry, buffer, size, found);
        },
        [](const protoent& entry) { return static_cast<std::uint32_t>(entry.p_proto); });
    if (!number) return cannot_look_up("protocol", name, message(number.error()));
    return *number;
  }
};

}  // namespace

std::unique_ptr<Names> system_names() { return std::make_unique<System>(); }

}  // namespace weir::names
