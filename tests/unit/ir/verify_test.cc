#include <doctest/doctest.h>

#include <map>
#include <string>

#include "ir/program.hpp"
#include "ir/ranges.hpp"
#include "random_program.hpp"

using namespace weir;
using namespace weir::ir;

namespace {

std::string mistake(const Program& p) { return verify(p).value_or(""); }

std::string mistake(const std::string& text) {
  const auto p = read(text);
  REQUIRE_MESSAGE(p.has_value(), p.error().message);
  return mistake(*p);
}

/// The definition, by walking every path: slow, for small graphs.
class Paths {
 public:
  explicit Paths(const Program& p) : p_(p) {}
  bool all_guarded() { return walk(p_.root, {}); }

 private:
  struct Passed {
    std::map<ValueId, std::uint64_t> captured;  ///< by base: the largest end
    std::map<ValueId, bool> nonzero;
  };

  /// A constant base is an offset from the start.
  std::pair<ValueId, std::uint64_t> extent(ValueId base, std::uint32_t k, std::uint32_t size) {
    const auto fixed = constant_of(p_, base);
    return {fixed ? no_value : base, std::uint64_t{fixed.value_or(0)} + k + size};
  }

  bool walk(NodeId id, Passed passed) {
    const Node& n = p_[id];
    if (!safe(n.a, passed) || !safe(n.b, passed)) return false;
    if (n.kind == NodeKind::Return) return true;
    if (n.forks()) return walk(n.t, passed) && walk(n.f, passed);
    if (n.kind == NodeKind::NonZero) passed.nonzero[n.a] = true;
    if (n.kind == NodeKind::Guard) {
      const auto [base, end] = extent(n.a, n.k, n.size());
      for (const ValueId b : {base, no_value}) passed.captured[b] = std::max(passed.captured[b], end);
    }
    return walk(n.t, passed);
  }

  bool safe(ValueId id, const Passed& passed) {
    if (id == no_value) return true;
    const Value& v = p_[id];
    if (!safe(v.a, passed) || !safe(v.b, passed)) return false;
    if (v.kind == ValueKind::Choice) return walk(v.root(), passed);
    if (v.kind == ValueKind::Load) {
      const auto [base, end] = extent(v.a, v.k, v.size());
      const auto found = passed.captured.find(base);
      return found != passed.captured.end() && found->second >= end;
    }
    const bool divides = v.kind == ValueKind::Binary && (v.arith() == Arith::Div || v.arith() == Arith::Mod);
    return !divides || Ranges(p_).of(v.b).low > 0 || passed.nonzero.contains(v.b);
  }

  const Program& p_;
};

/// Puts guards above some places of a program, so that more than the trivial ones are right.
Program guarded(const Program& p, RandomProgram& random) {
  Program q = p;
  for (std::uint32_t id = 0; id < p.value_count(); ++id) {
    const Value& v = p[ValueId{id}];
    if (v.kind == ValueKind::Load && random.below(8)) q.root = q.guard(v.size(), v.a, v.k, q.root);
    if (v.kind == ValueKind::Binary && random.below(8)) q.root = q.nonzero(v.b, q.root);
  }
  return q;
}

}  // namespace

TEST_CASE("loads and divisions that are guarded") {
  const char* const good[] = {
      "n: return 1\nroot n\n",
      // the same bytes; a part of them; bytes before them
      "v = load 2 [12]\nr: return v\nn: guard 2 [12] then r\nroot n\n",
      "v = load 2 [12]\nr: return v\nn: guard 20 [2] then r\nroot n\n",
      "v = load 2 [12]\nr: return v\nn: guard 1 [30] then r\nroot n\n",
      // the bytes are counted from a value, which has a guard of its own
      "b = load 1 [14]\nv = load 2 [b + 16]\nr: return v\ng: guard 2 [b + 16] then r\nn: guard 1 [14] then g\nroot n\n",
      // what is captured far behind a value is captured from the start
      "b = length\nv = load 2 [12]\nr: return v\nn: guard 1 [b + 13] then r\nroot n\n",
      // a constant base is an offset
      "v = load 2 [4 + 8]\nr: return v\nn: guard 2 [12] then r\nroot n\n",
      "v = load 2 [12]\nr: return v\nn: guard 2 [4 + 8] then r\nroot n\n",
      // each way has its guard, in its own order
      ("v = load 1 [1]\nl = length\nw = load 1 [l + 2]\nx = v + w\nr: return x\n"
      "a1: guard 1 [1] then r\na: guard 1 [l + 2] then a1\nb1: guard 4 [l + 2] then r\nb: guard 1 [1] then b1\n"
      "n: if l == 9 then a else b\nroot n\n"),
      // divisors
      "l = length\nv = 1 / l\nr: return v\nn: nonzero l then r\nroot n\n",
      "l = length\nv = l % 7\nr: return v\nroot r\n",
      // a choice sees what was passed above it and inside it
      ("v = load 1 [1]\nw = load 1 [9]\ni: return v\nj: return w\nk: guard 1 [9] then j\nc: if v == 1 then i else k\n"
      "o = choice c\nr: return o\nn: guard 1 [1] then r\nroot n\n"),
      // a load that is never reached needs nothing
      "v = load 1 [1]\nidle: return v\nn: return 1\nroot n\n",
  };
  for (const char* text : good) {
    CAPTURE(text);
    CHECK(mistake(text) == "");
  }
}

TEST_CASE("loads and divisions that are not") {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"v = load 2 [12]\nr: return v\nroot r\n", "n0 (return [12:2]): v0 = [12:2] has no guard above it on every path"},
      {"v = load 2 [12]\nr: return v\nn: guard 1 [12] then r\nroot n\n",
       "n0 (return [12:2]): v0 = [12:2] has no guard above it on every path"},
      {"l = length\nv = load 2 [l]\nr: return v\nn: guard 20 [12] then r\nroot n\n",
       "n0 (return [len:2]): v1 = [len:2] has no guard above it on every path"},
      // one way only
      {"l = length\nv = load 1 [1]\nr: return v\ng: guard 1 [1] then r\nn: if l == 9 then g else r\nroot n\n",
       "n0 (return [1:1]): v1 = [1:1] has no guard above it on every path"},
      // the base of a guard
      {"b = load 1 [14]\nr: return 1\nn: guard 1 [b + 1] then r\nroot n\n",
       "n1 (guard [[14:1] + 1:1]): v0 = [14:1] has no guard above it on every path"},
      // below the guard of another use
      {"v = load 1 [1]\nw = v + 1\nr: return w\nn: if w == 3 then r else r\ng: guard 1 [1] then n\n"
       "t: if v == 5 then g else n\nm: if w == 8 then t else t\nroot m\n",
       "n4 (([1:1] + 1) == 8): v0 = [1:1] has no guard above it on every path"},
      {"l = length\nv = 1 / l\nr: return v\nroot r\n",
       "n0 (return 1 / len): v2 = 1 / len has no nonzero check above it on every path"},
      {"l = length\nv = l % 0\nr: return v\nroot r\n",
       "n0 (return len % 0): v2 = len % 0 has no nonzero check above it on every path"},
      {"l = length\nv = 1 / l\nr: return v\nm = -l\nn: nonzero m then r\nroot n\n",
       "n0 (return 1 / len): v2 = 1 / len has no nonzero check above it on every path"},
      // at the leaf of a choice
      {"w = load 1 [9]\ni: return 0\nj: return w\nl = length\nc: if l == 1 then i else j\no = choice c\n"
       "r: return o\nroot r\n",
       "n1 (return [9:1]): v0 = [9:1] has no guard above it on every path"},
      // what a choice passes inside counts inside only
      {"w = load 1 [9]\nj: return w\nc: guard 1 [9] then j\no = choice c\ns: return w\n"
       "n: if o == 1 then s else s\nroot n\n",
       "n0 (return [9:1]): v0 = [9:1] has no guard above it on every path"},
      // a choice that is guarded at one use only
      {"w = load 1 [9]\nj: return w\no = choice j\nr: return o\nl = length\ng: guard 1 [9] then r\n"
       "n: if l == 1 then g else r\nroot n\n",
       "n0 (return [9:1]): v0 = [9:1] has no guard above it on every path"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(mistake(c.text) == c.message);
  }
}

TEST_CASE("broken form") {
  const auto with_value = [](Value v) {
    Program p;
    p.root = p.ret(0u);
    p.add(v);
    return mistake(p);
  };
  CHECK(with_value({static_cast<ValueKind>(9)}) == "v1: no such kind of value");
  CHECK(with_value({ValueKind::Load, 3, 12}) == "v1: no such size, operator or metadata");
  CHECK(with_value({ValueKind::Meta, 5}) == "v1: no such size, operator or metadata");
  CHECK(with_value({ValueKind::Binary, 10, 0, ValueId{0}, ValueId{0}}) == "v1: no such size, operator or metadata");
  CHECK(with_value({ValueKind::Length, 0, 1}) == "v1: a field that its kind does not use is not empty");
  CHECK(with_value({ValueKind::Constant, 0, 1, ValueId{0}}) == "v1: a field that its kind does not use is not empty");
  CHECK(with_value({ValueKind::Negate, 0, 0, ValueId{1}}) == "v1: an operand is not a smaller value");
  CHECK(with_value({ValueKind::Negate}) == "v1: an operand is not a smaller value");
  CHECK(with_value({ValueKind::Load, 1, 0, ValueId{1}}) == "v1: an operand is not a smaller value");
  CHECK(with_value({ValueKind::Binary, 0, 0, ValueId{0}, ValueId{7}}) == "v1: an operand is not a smaller value");
  CHECK(with_value({ValueKind::Choice, 0, 1}) == "v1: n1 does not exist");

  const auto with_node = [](Node n) {
    Program p;
    p.root = p.ret(0u);
    p.add(n);
    return mistake(p);
  };
  const ValueId v{0};
  const NodeId end{0}, itself{1};
  CHECK(with_node({static_cast<NodeKind>(7)}) == "n1: no such kind of node");
  CHECK(with_node({NodeKind::Guard, 0, 0, no_value, no_value, end}) == "n1: no such size or relation");
  CHECK(with_node({NodeKind::Test, 4, 0, v, v, end, end}) == "n1: no such size or relation");
  CHECK(with_node({NodeKind::Return, 0, 0, v, v}) == "n1: a field that its kind does not use is not empty");
  CHECK(with_node({NodeKind::Test, 0, 3, v, v, end, end}) == "n1: a field that its kind does not use is not empty");
  CHECK(with_node({NodeKind::Return, 0, 0, no_value}) == "n1: a value that does not exist");
  CHECK(with_node({NodeKind::NonZero, 0, 0, ValueId{4}}) == "n1: a value that does not exist");
  CHECK(with_node({NodeKind::Test, 0, 0, v, no_value, end, end}) == "n1: a value that does not exist");
  CHECK(with_node({NodeKind::Test, 0, 0, v, v, end, itself}) == "n1: a way out does not lead to a smaller node");
  CHECK(with_node({NodeKind::Guard, 1, 0, v, no_value, itself}) == "n1: a way out does not lead to a smaller node");

  Program p;
  CHECK(mistake(p) == "root n0 does not exist");
  p.root = p.ret(0u);
  p.root = NodeId{1};
  CHECK(mistake(p) == "root n1 does not exist");
}

TEST_CASE("a choice that leads back to itself") {
  Program p;
  p.root = p.ret(p.constant(1));
  p.add(Value{ValueKind::Choice, 0, 1});  // v1, of a node to come
  p.add(Node{NodeKind::Return, 0, 0, ValueId{1}});
  CHECK(mistake(p) == "v1: its graph n1 uses it or a larger value");

  Program q;
  q.root = q.ret(q.constant(1));
  q.add(Value{ValueKind::Choice, 0, 2});
  q.add(Node{NodeKind::Return, 0, 0, ValueId{1}});
  q.add(Node{NodeKind::NonZero, 0, 0, ValueId{0}, no_value, NodeId{0}});
  CHECK(mistake(q) == "n1: the graph of a choice in v1 is not of smaller nodes");
}

TEST_CASE("verify agrees with a walk along every path") {
  int right = 0;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    RandomProgram random(seed);
    const Program p = guarded(random.make(3 + seed % 12), random);
    const bool expected = Paths(p).all_guarded();
    right += expected;
    REQUIRE(mistake(p).empty() == expected);
  }
  CHECK(right > 300);
  CHECK(right < 2700);
}
