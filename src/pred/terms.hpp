// What a filter is made of: values and expressions. Each names its operands by number, and these come before it.
#pragma once
#include <cstdint>

namespace weir::pred {

enum class ValueId : std::uint32_t {};
enum class ExprId : std::uint32_t {};
inline constexpr ValueId no_value{0xffffffff};

enum class ValueKind : std::uint8_t {
  Constant,  ///< k
  Load,      ///< detail bytes in network order at a (no_value: 0) + k, summed without wrap
  Length,    ///< length on the wire
  Meta,      ///< weir::Meta(detail)
  Negate,    ///< -a
  Binary,    ///< a weir::Arith(detail) b
  Choice,    ///< a when `test` holds, otherwise b
};

struct Value {
  ValueKind kind = ValueKind::Constant;
  std::uint8_t detail = 0;
  std::uint32_t k = 0;
  ValueId a = no_value;
  ValueId b = no_value;
  ExprId test{};
  bool operator==(const Value&) const = default;
};

enum class ExprKind : std::uint8_t {
  True, False,
  Compare,  ///< value a Relation(detail) value b
  Member,   ///< value a lies in set number b
  Not,      ///< a
  And, Or,  ///< children [a, a+b) of `children`
  Mark,     ///< true; remembers that mark number a was reached
  Passed,   ///< mark number a was reached
};

struct Expr {
  ExprKind kind = ExprKind::True;
  std::uint8_t detail = 0;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t words = 0;  ///< number of its span: those of one primitive share it
};

}  // namespace weir::pred
