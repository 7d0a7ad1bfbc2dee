#include "setting.hpp"

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

}  // namespace weir::oracle
