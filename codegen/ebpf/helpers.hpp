// Functions of the kernel that programs call, as data.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebpf/program.hpp"

namespace weir::ebpf {

enum class Helper : std::uint8_t {
#define WEIR_HELPER(helper, id, name, returns, arguments, hooks) helper,
#include "ebpf/helpers.def"
#undef WEIR_HELPER
};

/// What a helper wants in a register.
enum class Argument : std::uint8_t {
  None,
  Map,         ///< a reference to a map
  Key, Value,  ///< memory of as many bytes as that map's keys or values have
  Context,     ///< what the program was given in r1
  Number,      ///< any number
  Out,         ///< memory that the helper writes, of as many bytes as the next argument says
  Size,        ///< how many; not 0
  SizeOrZero,
};

enum class Returns : std::uint8_t { Integer, ValueOrNull };

struct HelperRow {
  Helper helper;
  std::int32_t id;
  std::string_view name;
  Returns returns;
  std::array<Argument, 5> arguments;
  std::string_view hooks;
};

/// The kernel's numbers of the helpers, by Helper.
inline constexpr std::int32_t helper_numbers[] = {
#define WEIR_HELPER(helper, id, name, returns, arguments, hooks) id,
#include "ebpf/helpers.def"
#undef WEIR_HELPER
};
inline constexpr std::int32_t map_lookup = helper_numbers[static_cast<int>(Helper::LookUp)];

/// The helper of a number; null when weir does not know it.
const HelperRow* find_helper(std::int32_t id);
/// By name, with or without `bpf_`.
const HelperRow* find_helper(std::string_view name);
/// Whether programs of the hook have it.
bool has(const HelperRow& row, Hook hook);

/// The letter of a hook in helpers.def and context.def.
char letter(Hook hook);

}  // namespace weir::ebpf
