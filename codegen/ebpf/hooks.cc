#include <array>

#include "ebpf/program.hpp"

namespace weir::ebpf {
namespace {

constexpr std::array names = {
#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) std::string_view(name),
#include "ebpf/hooks.def"
#undef WEIR_HOOK
};

}  // namespace

std::string_view to_string(Hook hook) { return names[static_cast<std::size_t>(hook)]; }

std::optional<Hook> find_hook(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Hook>(i);
  return std::nullopt;
}

}  // namespace weir::ebpf
