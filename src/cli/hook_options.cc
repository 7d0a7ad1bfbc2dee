#include "cli/hook_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

namespace weir::cli {
namespace {

template <class T>
std::optional<T> number_of(const std::string& word) {
  T number{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc{} && end == word.data() + word.size() ? std::optional(number) : std::nullopt;
}

/// The number of an action: by its word, or itself.
std::expected<std::optional<std::int32_t>, std::string> parse_action(const char* option, const std::string& word, Hook hook,
                                                                     const std::string& hook_name) {
  if (word.empty()) return std::nullopt;
  if (const auto number = find_action(hook, word)) return number;
  if (const auto number = number_of<std::int32_t>(word)) return number;
  return std::unexpected(fmt::format("{}={} is no action of hook {}; there are {}, or a number", option, word, hook_name,
                                     fmt::join(action_names(hook), ", ")));
}

}  // namespace

std::expected<ProgramOptions, std::string> parse_hook(const HookWords& words) {
  ProgramOptions options;
  const std::string name = words.hook.empty() ? "socket" : words.hook;
  const auto hook = find_hook(name);
  if (!hook) return std::unexpected(fmt::format("--hook={} is unknown; there are {}", name, fmt::join(hook_names(), ", ")));
  options.hook = *hook;
  const auto match = parse_action("--match", words.match, *hook, name), no_match = parse_action("--no-match", words.no_match, *hook, name);
  if (!match) return std::unexpected(match.error());
  if (!no_match) return std::unexpected(no_match.error());
  options.match = *match;
  options.no_match = *no_match;
  if (words.maps.empty()) return options;
  const auto threshold = number_of<std::size_t>(words.maps);
  if (!threshold || *threshold == 0)
    return std::unexpected(fmt::format("--maps takes how many entries make a list a map, 1 and more, not '{}'", words.maps));
  options.map_threshold = *threshold;
  return options;
}

}  // namespace weir::cli
