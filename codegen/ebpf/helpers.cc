#include "ebpf/helpers.hpp"

#include <algorithm>

namespace weir::ebpf {
namespace {

#define ARGUMENTS(...) list(__VA_ARGS__)
#define WEIR_HELPER(helper, id, name, returns, arguments, hooks) {Helper::helper, id, name, Returns::returns, arguments, hooks},
constexpr auto helper_rows = [] {
  using enum Argument;
  constexpr auto list = [](auto... arguments) { return std::array<Argument, 5>{arguments...}; };
  return std::to_array<HelperRow>({
#include "ebpf/helpers.def"
  });
}();
#undef WEIR_HELPER
#undef ARGUMENTS

}  // namespace

const HelperRow* find_helper(std::int32_t id) {
  const auto* const row = std::ranges::find(helper_rows, id, &HelperRow::id);
  return row == helper_rows.end() ? nullptr : row;
}

const HelperRow* find_helper(std::string_view name) {
  constexpr std::string_view prefix = "bpf_";
  const auto* const row = std::ranges::find_if(
      helper_rows, [&](const HelperRow& r) { return r.name == name || r.name.substr(prefix.size()) == name; });
  return row == helper_rows.end() ? nullptr : row;
}

char letter(Hook hook) {
  switch (hook) {
    case Hook::Socket: return 's';
    case Hook::SocketBtf: return 'b';
    case Hook::Xdp: return 'x';
    case Hook::TcIngress:
    case Hook::TcEgress: return 't';
    case Hook::Cgroup: return 'c';
    case Hook::Tracing:
    case Hook::TracingBtf: return 'r';
  }
  return '?';
}

bool has(const HelperRow& row, Hook hook) { return row.hooks.contains(letter(hook)); }

}  // namespace weir::ebpf
