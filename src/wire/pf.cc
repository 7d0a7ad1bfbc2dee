#include "wire/pf.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "wire/ascii.hpp"

namespace weir::wire::pf {
namespace {

struct Row {
  std::string_view word;
  std::uint32_t number;
};

constexpr Row reasons[] = {
#define WEIR_PF_REASON(word, number) {word, number},
#define WEIR_PF_ACTION(word, number)
#include "wire/pf.def"
#undef WEIR_PF_REASON
#undef WEIR_PF_ACTION
};
constexpr Row actions[] = {
#define WEIR_PF_REASON(word, number)
#define WEIR_PF_ACTION(word, number) {word, number},
#include "wire/pf.def"
#undef WEIR_PF_REASON
#undef WEIR_PF_ACTION
};

std::optional<std::uint32_t> code(std::span<const Row> rows, std::string_view word) {
  const auto row = std::ranges::find_if(rows, [&](const Row& r) { return same_word(r.word, word); });
  return row == rows.end() ? std::nullopt : std::optional(row->number);
}

std::string words(std::span<const Row> rows) {
  std::string list;
  for (const Row& row : rows) list += fmt::format("{}{}", list.empty() ? "" : ", ", row.word);
  return list;
}

}  // namespace

std::optional<std::uint32_t> reason_code(std::string_view word) { return code(reasons, word); }
std::optional<std::uint32_t> action_code(std::string_view word) { return code(actions, word); }
std::string reason_words() { return words(reasons); }
std::string action_words() { return words(actions); }

}  // namespace weir::wire::pf
