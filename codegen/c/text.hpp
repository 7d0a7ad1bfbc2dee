// How parts of a graph are written in C: expressions, conditions, tables. Everything is unsigned and 32 bits wide; bytes are read by small
// functions, so that compilers do not complain of comparisons that their types decide.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::c {

/// Of a program: what its text has needed so far, for the lines that stand before the function.
struct Needs {
  bool u8 = false, be16 = false, be32 = false, shl = false, shr = false, points = false, ranges = false;
  bool metadata = false, packet = false, captured = false, length = false;
  std::string tables;
  std::vector<std::string> set_names;  ///< by number of the set; empty: not asked so far
};

class Text {
 public:
  /// `p` is compact.
  Text(const ir::Program& p, Needs& needs, const std::vector<bool>& variables);

  std::string variable(ir::ValueId v) const;
  /// What a value is, or its variable.
  std::string operand(ir::ValueId v);
  /// What a value is, of which the variable is assigned.
  std::string expression(ir::ValueId v);
  /// Of a test or a membership: what holds on the way `t`, or what holds on the other.
  std::string condition(const ir::Node& n, bool holds);
  /// That a value is zero.
  std::string is_zero(ir::ValueId v) { return piece(v) + " == 0"; }
  /// Whether the variable of a value stands in any text so far; tests that are decided do not ask for theirs.
  bool is_read(ir::ValueId v) const { return read_[static_cast<std::uint32_t>(v)]; }
  /// What holds when the bytes of a guard are not captured.
  std::string missing(const ir::Node& guard);

  /// The outcome of a fork that is the same for every packet; compilers complain of some.
  std::optional<bool> decided(const ir::Node& n);
  bool never_equal(ir::ValueId masked, ir::ValueId constant) const;
  /// Whether it is a test by many single numbers, which is better a switch.
  bool is_switch(const ir::Node& n) const;
  std::string cases(const ir::Node& n) const;

  ir::Ranges& ranges() { return ranges_; }

 private:
  std::string piece(ir::ValueId v);
  std::string load(const ir::Value& v);
  std::string address(ir::ValueId base, std::uint32_t k);
  std::string shift(const ir::Value& v);
  std::string comparisons_of(const Set& set, const std::string& value, bool holds);
  std::string table(std::uint32_t number);

  const ir::Program& p_;
  Needs& needs_;
  const std::vector<bool>& variables_;
  std::vector<bool> read_;
  ir::Ranges ranges_;
};

/// `0x800u`, `80u`.
std::string number(std::uint32_t k);

/// Words of a filter as one line of a comment.
std::string comment_text(std::string_view words);

}  // namespace weir::c
