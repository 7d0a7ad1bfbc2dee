#include <array>

#include "ebpf/program.hpp"

namespace weir::ebpf {
namespace {

constexpr std::array names = {
#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) std::string_view(name),
#include "ebpf/hooks.def"
#undef WEIR_HOOK
};

struct Action {
  Hook hook;
  std::string_view word;
  std::int32_t number;
};
constexpr Action actions[] = {
#define WEIR_ACTION(hook, word, number) {Hook::hook, word, number},
#include "ebpf/actions.def"
#undef WEIR_ACTION
};

}  // namespace

std::string_view to_string(Hook hook) { return names[static_cast<std::size_t>(hook)]; }

std::optional<Hook> find_hook(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Hook>(i);
  return std::nullopt;
}

std::optional<std::int32_t> find_action(Hook hook, std::string_view word) {
  for (const Action& a : actions)
    if (a.hook == hook && a.word == word) return a.number;
  return std::nullopt;
}

std::vector<std::string_view> action_words(Hook hook) {
  std::vector<std::string_view> words;
  for (const Action& a : actions)
    if (a.hook == hook) words.push_back(a.word);
  return words;
}

}  // namespace weir::ebpf
