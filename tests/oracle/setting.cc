#include "setting.hpp"

#include <cstdio>
#include <sstream>

namespace weir::oracle {

const std::vector<std::string_view>& link_types() {
  static const std::vector<std::string_view> all = [] {
    std::vector<std::string_view> names;
    for (const wire::LinkType& row : wire::link_types()) {
      const wire::Layout& l = row.layout;
      const bool known = l.type_field != wire::TypeField::None || l.addresses != wire::Addresses::None || l.mtp2;
      if (known || row.dlt % 30 == 0) names.push_back(row.name);
    }
    return names;
  }();
  return all;
}

std::optional<std::uint32_t> read_netmask(const std::string& text) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (std::sscanf(text.c_str(), "%u.%u.%u.%u", &a, &b, &c, &d) != 4) return std::nullopt;
  return a << 24 | b << 16 | c << 8 | d;
}

Setting read_setting(const std::string& words) {
  Setting s;
  std::istringstream in(words);
  std::string word;
  in >> s.link_type;
  while (in >> word) {
    if (word == "live") s.linux_ext = true;
    if (word == "savefile") s.savefile = Savefile::Native;
    if (word == "swapped") s.savefile = Savefile::Swapped;
    if (word == "snaplen" && in >> word) s.snaplen = static_cast<std::uint32_t>(std::stoul(word));
    if (word == "netmask" && in >> word) s.netmask = read_netmask(word);
  }
  return s;
}

}  // namespace weir::oracle
