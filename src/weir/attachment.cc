#include "weir/attachment.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>
#include <utility>

#include "attach/socket_program.hpp"

namespace weir {
namespace {

/// An address, a network, or a number, as its bytes lie in packets.
struct Entry {
  std::array<std::uint8_t, 16> bytes = {};
  std::uint32_t size = 0;  ///< of them
  std::uint32_t bits = 0;  ///< that count, from the first on
};
/// How many single addresses a network may become.
constexpr std::uint64_t most_singles = 4096;

bool is_number(std::string_view text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::unexpected<Diagnostic> no_address(std::string_view text, const char* why) {
  return fail(Code::Address, {}, fmt::format("'{}' {}", text, why),
              "an entry is an address or a network (10.1.2.3, 10.0.0.0/8, 2001:db8::/32), or a number");
}

bool has_bits_behind(const Entry& e) {
  for (std::uint32_t i = e.bits; i < 8 * e.size; ++i)
    if (e.bytes[i / 8] >> (7 - i % 8) & 1) return true;
  return false;
}

Result<Entry> read_entry(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Entry e;
  if (std::uint32_t number = 0; slash == text.npos && is_number(text, number)) {
    if (number > 0xffff) return no_address(text, "is too large for a number of two bytes");
    e.size = 2;
    e.bytes = {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  } else if (::inet_pton(AF_INET, address.c_str(), e.bytes.data()) == 1) {
    e.size = 4;
  } else if (::inet_pton(AF_INET6, address.c_str(), e.bytes.data()) == 1) {
    e.size = 16;
  } else {
    return no_address(text, "is no address");
  }
  e.bits = 8 * e.size;
  if (slash == text.npos) return e;
  if (!is_number(text.substr(slash + 1), e.bits) || e.bits > 8 * e.size)
    return no_address(text, "has no length of a prefix behind its slash");
  if (has_bits_behind(e)) return no_address(text, "has bits behind its prefix");
  return e;
}

std::string kind_of(std::uint32_t bytes) {
  switch (bytes) {
    case 2: return "numbers of two bytes";
    case 4: return "IPv4 addresses";
    case 16: return "IPv6 addresses";
    default: return fmt::format("{} bytes", bytes);
  }
}

/// Numbers of four bytes that are no IPv4 address: of an IPv6 network of at most 32 bits, or of a MAC address, which have colons.
bool is_in_parts(const LiveList& list) { return list.bytes == 4 && list.words.contains(':'); }

Result<std::size_t> choose(const std::vector<LiveList>& lists, std::uint32_t bytes, std::optional<std::size_t> wanted) {
  if (wanted) {
    if (*wanted < lists.size() && lists[*wanted].bytes == bytes) return *wanted;
    return fail(Code::Range, {},
                *wanted < lists.size()
                    ? fmt::format("list {} does not have {}, but {}", *wanted, kind_of(bytes), kind_of(lists[*wanted].bytes))
                    : fmt::format("there is no list {}: the filter has {}", *wanted, lists.size()));
  }
  std::optional<std::size_t> found;
  std::string names;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (lists[i].bytes != bytes || is_in_parts(lists[i])) continue;
    if (!found) found = i;
    names += fmt::format("{}{} ('{}')", names.empty() ? "" : ", ", i, lists[i].words);
  }
  if (!found) {
    const bool has_parts = std::ranges::any_of(lists, is_in_parts);
    return fail(Code::Range, {}, fmt::format("the filter has no list of {}", kind_of(bytes)),
                has_parts ? "IPv6 networks of at most 32 bits and MAC addresses are asked in parts, which nothing changes; with "
                            "a longer network or an address beside them ('or ip6 host ::1'), IPv6 networks are a list"
                          : "");
  }
  if (names.find("), ") != names.npos)
    return fail(Code::Range, {}, fmt::format("the filter has several lists of {}: {}", kind_of(bytes), names), "say its number");
  return *found;
}

/// The key of the entry's address number `which`, counted from its first.
std::vector<std::uint8_t> key_of(const Entry& e, bool trie, std::uint64_t which) {
  std::vector<std::uint8_t> key;
  if (trie) {
    key.resize(sizeof e.bits);
    std::memcpy(key.data(), &e.bits, sizeof e.bits);
  }
  key.insert(key.end(), e.bytes.begin(), e.bytes.begin() + e.size);
  for (std::size_t i = key.size(); which != 0; which >>= 8) {
    --i;
    key[i] = static_cast<std::uint8_t>(key[i] | (which & 0xff));
  }
  return key;
}

/// How many keys an entry is.
Result<std::uint64_t> count_of(const Entry& e, const LiveList& list) {
  const std::uint32_t free_bits = 8 * e.size - e.bits;
  if (list.networks || free_bits == 0) return 1;
  if (free_bits < 64 && std::uint64_t{1} << free_bits <= most_singles) return std::uint64_t{1} << free_bits;
  return fail(Code::Range, {},
              fmt::format("the list '{}' takes single addresses, and the network has more than {}", list.words, most_singles),
              "a list that has a network when the filter is compiled takes others, too");
}

}  // namespace

Attachment::Attachment(std::unique_ptr<State> state) : state_(std::move(state)) {}
Attachment::Attachment(Attachment&&) noexcept = default;
Attachment& Attachment::operator=(Attachment&& other) noexcept {
  if (this == &other) return *this;
  if (state_) detach();
  state_ = std::move(other.state_);
  return *this;
}
Attachment::~Attachment() {
  if (state_) detach();
}

void Attachment::detach() {
  if (const auto* on = std::get_if<OnSocket>(&state_->handle)) (void)attach::detach_socket(on->socket);
  state_->handle.emplace<std::monostate>();
}

void Attachment::release() {
  if (auto* filter = std::get_if<attach::ClsactFilter>(&state_->handle)) filter->release();
  state_->handle.emplace<std::monostate>();
}

Attached Attachment::as() const { return state_->as; }
std::string Attachment::description() const { return state_->description; }
const std::optional<Diagnostic>& Attachment::refused_classic() const { return state_->refused_classic; }
const std::vector<LiveList>& Attachment::lists() const { return state_->lists; }

Result<Attachment::Counts> Attachment::counts() const {
  if (!state_->counters)
    return fail(Code::Unsupported, {}, "the program does not count",
                "AttachOptions::count makes programs for interfaces and control groups do so");
  const attach::Map& map = state_->loaded->maps()[*state_->counters];
  const auto rejected = map.counts(0), accepted = map.counts(1);
  if (!rejected || !accepted) return std::unexpected(rejected ? accepted.error() : rejected.error());
  return Counts{.accepted = accepted->front(), .rejected = rejected->front()};
}

namespace {

/// Where an entry belongs.
struct Place {
  Entry entry;
  std::uint64_t count = 0;  ///< keys that it is
  bool trie = false;
  attach::Map* map = nullptr;
};

Result<Place> place_of(Attachment::State& state, std::string_view address, std::optional<std::size_t> wanted) {
  if (!state.live || !state.loaded)
    return fail(Code::Unsupported, {}, "the filter's lists cannot change", "attach it with AttachOptions::live");
  const auto entry = read_entry(address);
  if (!entry) return std::unexpected(entry.error());
  const auto list = choose(state.lists, entry->size, wanted);
  if (!list) return std::unexpected(list.error());
  const auto count = count_of(*entry, state.lists[*list]);
  if (!count) return std::unexpected(count.error());
  return Place{*entry, *count, state.lists[*list].networks, &state.loaded->maps()[state.list_maps[*list]]};
}

}  // namespace

/// All of a network, or nothing.
Result<void> Attachment::add(std::string_view address, std::optional<std::size_t> list) {
  const auto place = place_of(*state_, address, list);
  if (!place) return std::unexpected(place.error());
  std::vector<std::vector<std::uint8_t>> added;
  for (std::uint64_t i = 0; i < place->count; ++i) {
    auto key = key_of(place->entry, place->trie, i);
    if (const auto there = place->map->contains(key); !place->trie && there && *there) continue;
    if (auto done = place->map->add(key); !done) {
      for (const auto& back : added) (void)place->map->remove(back);
      return done;
    }
    added.push_back(std::move(key));
  }
  return {};
}

Result<bool> Attachment::remove(std::string_view address, std::optional<std::size_t> list) {
  const auto place = place_of(*state_, address, list);
  if (!place) return std::unexpected(place.error());
  bool some = false;
  for (std::uint64_t i = 0; i < place->count; ++i) {
    const auto was = place->map->remove(key_of(place->entry, place->trie, i));
    if (!was) return was;
    some = some || *was;
  }
  return some;
}

}  // namespace weir
