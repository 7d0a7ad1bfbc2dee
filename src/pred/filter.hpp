// What a filter means, in numbers only: And, Or, Not and comparisons over arithmetic on packet loads. `evaluate` is
// the definition that every engine is measured against: left to right, ends as soon as the verdict is known, and a load past the
// captured bytes or a division by zero ends it with "reject", even under Not.
//
// Offsets of headers that follow a VLAN tag in the metadata, Geneve or VXLAN depend on whether evaluation came by:
// `Mark` is true and remembers that it was reached; `Passed` asks for it. A mark that was never reached counts as not passed.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/arith.hpp"
#include "base/intern.hpp"
#include "base/packet.hpp"
#include "base/set.hpp"
#include "base/span.hpp"

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

/// A pool of values (equal ones exist once) and expressions (each has its place in the text), and the root.
class Filter {
 public:
  ValueId constant(std::uint32_t k);
  ValueId load(std::uint32_t size, ValueId base, std::uint32_t displacement);
  ValueId length();
  ValueId meta(Meta m);
  ValueId negate(ValueId a);
  ValueId binary(Arith op, ValueId a, ValueId b);
  ValueId choice(ExprId test, ValueId a, ValueId b);

  // Expressions; a constant operand is dropped as in `x and true`, an And of one is that one.
  ExprId truth(bool value);
  ExprId compare(Relation op, ValueId a, ValueId b, Span span);
  ExprId member(ValueId a, Set set, Span span);
  ExprId negation(ExprId e, Span span);
  ExprId all(std::span<const ExprId> operands, Span span) { return join(ExprKind::And, operands, span); }
  ExprId any(std::span<const ExprId> operands, Span span) { return join(ExprKind::Or, operands, span); }
  ExprId all(std::initializer_list<ExprId> operands, Span span) { return all(std::span(operands), span); }
  ExprId any(std::initializer_list<ExprId> operands, Span span) { return any(std::span(operands), span); }
  ExprId mark(std::uint32_t number, Span span) { return push({ExprKind::Mark, 0, number, 0}, span); }
  ExprId passed(std::uint32_t number, Span span) { return push({ExprKind::Passed, 0, number, 0}, span); }

  /// The expressions [first, first + count), among which are no marks, once more: for other words, and compared with `to`
  /// where they are compared with `from`. They get the next ids, in their order.
  void repeat(ExprId first, std::size_t count, ValueId from, ValueId to, Span span);

  const Value& operator[](ValueId id) const { return values_[static_cast<std::uint32_t>(id)]; }
  const Expr& operator[](ExprId id) const { return exprs_[static_cast<std::uint32_t>(id)]; }
  Span span(ExprId id) const { return spans_[(*this)[id].words]; }
  ExprId child(const Expr& e, std::uint32_t i) const { return children_[e.a + i]; }
  const Set& set(std::uint32_t number) const { return sets_[number]; }
  std::size_t value_count() const { return values_.size(); }
  std::size_t expr_count() const { return exprs_.size(); }

  /// So many expressions more are to come: memory for them, in one piece when they are many.
  void expect(std::size_t more);
  /// Gives back memory that only building needs; nothing may be added afterwards.
  void trim();

  ExprId root{};
  std::uint32_t accept = 0;      ///< what an accepted packet returns: the snapshot length
  std::uint32_t mark_count = 0;  ///< marks are numbered from 0

 private:
  ExprId push(Expr e, Span span);
  std::uint32_t number_of(Span span);
  ExprId join(ExprKind kind, std::span<const ExprId> operands, Span span);
  ValueId intern(const Value& v);
  bool is(ExprId e, ExprKind kind) const { return (*this)[e].kind == kind; }
  std::vector<Value> values_;
  InternIndex index_, set_index_;
  std::vector<Expr> exprs_;
  std::vector<Span> spans_;
  std::vector<ExprId> children_;
  std::vector<Set> sets_;
};

/// What the filter returns for a packet.
std::uint32_t evaluate(const Filter& f, const Packet& packet);

/// A dump, one expression a line, indented.
std::string to_string(const Filter& f);

}  // namespace weir::pred
