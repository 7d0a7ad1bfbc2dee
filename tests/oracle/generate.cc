#include "generate.hpp"

#include <array>
#include <cstdio>
#include <utility>
#include <vector>

namespace weir::oracle {
namespace {

struct Row {
  Kind kind;
  std::uint32_t weight;
  const char* words;
};
constexpr Row rows[] = {
#define WEIR_KIND(name, weight, words) {Kind::name, weight, words},
#include "primitives.def"
#undef WEIR_KIND
};

/// Whether libpcap accepts a kind on a link type.
bool accepted(Kind kind, std::string_view link_type) {
  const wire::Layout& layout = wire::find_link_type(link_type)->layout;
  const bool wlan = layout.addresses == wire::Addresses::Wlan;
  const bool nothing = layout.type_field == wire::TypeField::None;
  switch (kind) {
    case Kind::LinkHost: return layout.addresses != wire::Addresses::None;
    case Kind::Vlan: return layout.vlan != wire::Vlan::None;
    case Kind::Llc: return layout.llc;
    case Kind::Mpls: return layout.mpls;
    case Kind::Wlan: return wlan;
    case Kind::Protochain: return !wlan && !layout.pf && !nothing;
    case Kind::Foreign: return layout.atm || layout.mtp2 || layout.pf;
    case Kind::Gateway:
    case Kind::Vxlan:
    case Kind::Odd:
    case Kind::Broken: return false;
    case Kind::Length:
    case Kind::Byte:
    case Kind::Relation:
    case Kind::Direction:
    case Kind::Words: return true;
    case Kind::Cast: return !nothing || layout.addresses != wire::Addresses::None;
    default: return !nothing;
  }
}

std::uint32_t weight(const Row& row, std::string_view link_type, bool careful) {
  if (!accepted(row.kind, link_type)) return careful ? 0 : row.kind == Kind::Odd ? row.weight : 1;
  return row.kind == Kind::Wlan ? 4 * row.weight : row.kind == Kind::Foreign ? 30 * row.weight : row.weight;
}

/// Makes one filter.
class Generator {
 public:
  Generator(std::string_view link_type, Random& random) : random_(random), careful_(random.percent(80)) {
    result_.setting.link_type = link_type;
    for (const Row& row : rows) total_ += weight(row, link_type, careful_);
  }

  Generated run() {
    setting();
    result_.filter = expression(random_.percent(70) ? 2 : 3);
    if (!careful_ && random_.percent(10) && !has_names()) break_text();
    return std::move(result_);
  }

 private:
  void setting() {
    Setting& s = result_.setting;
    s.snaplen = random_.pick({262144u, 262144u, 65535u, 1u, 200u});
    if (random_.percent(careful_ ? 85 : 30)) s.netmask = random_.pick({0xffffff00u, 0xff000000u, 0u, 0xfffffffeu});
    s.linux_ext = random_.percent(15);
    if (!s.linux_ext && random_.percent(7)) s.savefile = random_.pick({Savefile::Native, Savefile::Swapped});
  }

  std::string expression(int depth) {
    std::string text = operand(depth);
    const std::uint32_t more = random_.pick({0u, 0u, 1u, 1u, 1u, 2u, 2u, 3u});
    for (std::uint32_t i = 0; i < more; ++i) {
      text += random_.percent(55) ? random_.pick({" and ", " and ", " && ", "&&"}) : random_.pick({" or ", " or ", " || ", "||"});
      text += operand(depth);
    }
    return text;
  }

  std::string operand(int depth) {
    if (random_.percent(18)) return random_.pick({"not ", "not ", "! ", "!"}) + operand(depth);
    if (depth > 0 && random_.percent(22)) return "(" + expression(depth - 1) + ")";
    return primitive(kind(), result_.setting.link_type, careful_, random_);
  }

  Kind kind() {
    std::uint32_t at = random_.below(total_);
    for (const Row& row : rows) {
      const std::uint32_t w = weight(row, result_.setting.link_type, careful_);
      if (at < w) {
        result_.kinds.set(static_cast<std::size_t>(row.kind));
        return row.kind;
      }
      at -= w;
    }
    return Kind::Abbreviation;
  }

  /// Whether a word may be one that a damaged filter would look up in the network's tables.
  bool has_names() const {
    for (const char* name : {"localhost", "http", "domain", "ssh", "ftp-data", "login", "who", "loopback", "link-local", "amqp", "\\"})
      if (result_.filter.find(name) != std::string::npos) return true;
    return false;
  }

  /// Leaves out, repeats or exchanges words.
  void break_text() {
    std::vector<std::string> parts;
    for (const char c : result_.filter) {
      const bool word = std::string_view("abcdefghijklmnopqrstuvwxyz0123456789.:-").find(c) != std::string_view::npos;
      if (parts.empty() || !word || !in_word_) parts.emplace_back();
      in_word_ = word;
      parts.back() += c;
    }
    const std::size_t at = random_.below(parts.size());
    if (random_.percent(40)) parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at));
    else if (random_.percent(50)) parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(at), parts[random_.below(parts.size())]);
    else std::swap(parts[at], parts[random_.below(parts.size())]);
    result_.filter.clear();
    for (const std::string& part : parts) result_.filter += part;
    result_.kinds.set(static_cast<std::size_t>(Kind::Broken));
  }

  Random& random_;
  bool careful_;  ///< a filter that libpcap should accept; the others ask whether both refuse the same
  Generated result_;
  std::uint32_t total_ = 0;
  bool in_word_ = false;
};

}  // namespace

const char* words(Kind kind) { return rows[static_cast<std::size_t>(kind)].words; }

Generated generate(std::string_view link_type, Random& random) { return Generator(link_type, random).run(); }

std::string number(std::uint32_t value, Random& random) {
  static constexpr const char* formats[] = {"%u", "%u", "%u", "%u", "0x%x", "0x%02X", "0%o"};
  char text[16];
  // An octal number of twelve digits would be a MAC address.
  const char* format = formats[random.below(value < 1u << 27 ? 7 : 6)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  std::snprintf(text, sizeof text, format, value);
#pragma GCC diagnostic pop
  return text;
}

}  // namespace weir::oracle
