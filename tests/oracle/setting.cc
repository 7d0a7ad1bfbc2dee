#include "setting.hpp"

#include <sstream>

namespace weir::oracle {
namespace {

/// Dotted, as people write netmasks.
std::uint32_t read_netmask(std::istream& in) {
  std::uint32_t mask = 0, part = 0;
  char dot = '.';
  for (int i = 0; i < 4 && dot == '.' && in >> part; ++i, in >> dot) mask = mask << 8 | part;
  return mask;
}

}  // namespace

Setting read_setting(const std::string& words) {
  Setting s;
  std::istringstream in(words);
  std::string word;
  in >> s.link_type;
  while (in >> word) {
    if (word == "live") s.linux_ext = true;
    if (word == "savefile") s.savefile = Savefile::Native;
    if (word == "netmask") s.netmask = read_netmask(in);
  }
  return s;
}

}  // namespace weir::oracle
