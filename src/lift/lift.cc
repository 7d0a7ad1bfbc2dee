// Two walks over the instructions. Forward, each with every state in which it can be reached: what it does to the state, and
// where it goes on. Backward, a node for each of these, since ways out must exist before the node that has them. If states get
// many, those that meet become one: a place that they disagree about holds a choice, whose graph goes the ways to there once more;
// but where choices would hold too many others, states stay apart.
#include "lift/lift.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cbpf/decode.hpp"
#include "cbpf/opcodes.hpp"
#include "ir/ranges.hpp"
#include "lift/dominators.hpp"
#include "lift/liveness.hpp"

namespace weir::lift {
namespace {

using cbpf::Instruction;
using cbpf::Opcode;
using cbpf::arith_of;
using cbpf::relation_of;
using cbpf::size_of;
using ir::NodeId;
using ir::ValueId;
namespace op = cbpf::op;

/// Offsets of the kernel that have a sign, and where the headers that they count from are taken to begin (vm/cbpf.cc).
constexpr std::uint32_t network_offset = 0xfff00000, link_offset = 0xffe00000, network_header = 14, link_header = 0;

/// The metadata at an offset, where the graph knows it.
std::optional<Meta> known_meta(std::uint32_t offset) {
  const auto meta = static_cast<Meta>(offset - meta_offset);
  switch (meta) {
    case Meta::Protocol:
    case Meta::PacketType:
    case Meta::InterfaceIndex:
    case Meta::VlanTag:
    case Meta::VlanTagPresent:
    case Meta::VlanProtocol: return meta;
  }
  return std::nullopt;
}

/// libpcap's auxiliary data are the VLAN tag, and only byte loads find them.
bool libpcap_knows(std::uint32_t offset, std::uint32_t size) {
  const auto meta = known_meta(offset);
  return size == 1 && (meta == Meta::VlanTag || meta == Meta::VlanTagPresent);
}

bool is_absolute(const Instruction& i) { return (i.code & 0x07) == op::LD && (i.code & 0xe0) == op::ABS; }

/// What the places hold; those that are not read any more hold no_value, so that they tell no states apart.
using State = std::array<ValueId, place_count>;

struct HashState {
  std::size_t operator()(const State& s) const {
    std::uint64_t h = 0;
    for (const ValueId v : s) h = (h ^ static_cast<std::uint32_t>(v)) * 0x9e3779b97f4a7c15 + (h >> 29);
    return static_cast<std::size_t>(h ^ h >> 32);
  }
};

/// An instruction in a state, by its number.
using Point = std::uint32_t;
constexpr Point nowhere = 0xffffffff;
constexpr std::size_t no_turn = static_cast<std::size_t>(-1);

/// Bytes that must be captured before the way goes on.
struct Bytes {
  ValueId base = ir::no_value;
  std::uint32_t k = 0;
  std::uint8_t size = 0;
};

/// One way on from a point.
struct Way {
  Point to = nowhere;  ///< nowhere: reject
  std::optional<Bytes> guard = {};
};

/// What a point does, of which a node is made.
struct Step {
  enum class Kind : std::uint8_t { Go, Return, NonZero, Test } kind = Kind::Go;
  Relation relation = Relation::Equal;
  ValueId a = ir::no_value, b = ir::no_value;  ///< what is returned, divided by or compared
  Way t = {}, f = {};
  Span span = {};
};

/// States that reach one instruction stay apart, which says most about each way, or become one.
enum class Meeting : std::uint8_t { Apart, Together };

class Lifting {
 public:
  Lifting(const cbpf::Program& p, Machine machine, Meeting meeting, const Limits& limits)
      : source_(p),
        code_(p.instructions),
        machine_(machine),
        meeting_(meeting),
        limits_(limits),
        live_(live_places(code_)),
        points_(code_.size()),
        known_(code_.size()) {}

  Result<ir::Program> run() {
    State zero;
    zero.fill(graph_.constant(0));  // as scratch words are for libpcap; the kernel has them written first
    reach(0, zero);
    for (at_ = 0; at_ < code_.size(); ++at_) {
      const std::vector<Point> reached = std::exchange(points_[at_], {});
      known_[at_].clear();
      if (meeting_ == Meeting::Together && reached.size() > 1) walk(meet(reached));
      else std::ranges::for_each(reached, [&](Point point) { walk(point); });
      if (problem_) return std::unexpected(std::move(*problem_));
    }
    graph_.root = build();
    return std::move(graph_);
  }

  /// Whether states got many; those of short programs are few, however often they come.
  bool is_long() const {
    constexpr std::size_t is_short = 256;
    return states_.size() > limits_.lifted_states * std::max(code_.size(), is_short);
  }

 private:
  // ---- points ----------------------------------------------------------------------------------------

  /// Goes on from a point of the instruction that is walked.
  void walk(Point point) {
    from_ = point;
    turn(point);
    Step made = step(states_[point]);
    made.span = span();
    steps_[point] = made;
  }

  /// It is this point's turn in the walk.
  void turn(Point point) {
    turn_[point] = walked_.size();
    walked_.push_back(point);
  }

  /// A new point, which is reached from the one that is walked.
  Point add(const State& state, const Step& step = {}) {
    states_.push_back(state);
    steps_.push_back(step);
    turn_.push_back(no_turn);
    ways_.add(from_);
    return static_cast<Point>(states_.size() - 1);
  }

  /// The point of an instruction in a state; the same for equal states.
  Point reach(std::size_t at, State state) {
    for (std::size_t n = 0; n < place_count; ++n)
      if (!(live_[at] & place(n))) state[n] = ir::no_value;
    const auto [entry, is_new] = known_[at].try_emplace(state, static_cast<Point>(states_.size()));
    if (!is_new) {
      ways_.join(entry->second, from_);
      return entry->second;
    }
    const Point next = add(state);
    points_[at].push_back(next);
    if (states_.size() > limits_.lifted_most && !problem_)
      problem_ = problem(Code::TooLarge, fmt::format("the ways to here bring more than {} combinations of values", limits_.lifted_most));
    return next;
  }

  /// One point for all that reach the instruction, which go on there.
  Point meet(const std::vector<Point>& reached) {
    from_ = reached.front();
    for (const Point point : reached) turn(point);
    State state = states_[from_];
    for (std::size_t where = 0; where < place_count; ++where)
      if (std::ranges::any_of(reached, [&](Point point) { return states_[point][where] != state[where]; }))
        state[where] = choice(reached, where);
    const Point one = add(state);
    for (const Point point : reached) {
      ways_.join(one, point);
      steps_[point] = {.t = {one, {}}};
    }
    return one;
  }

  /// What a place holds: the graph of the ways from the last point that all have passed. Where they do not lead to here any value
  /// will do, as nothing asks there; and checks hold that have held on the way.
  ValueId choice(const std::vector<Point>& reached, std::size_t where) {
    Point before = reached.front();
    for (const Point point : reached) before = ways_.common(before, point);
    Nodes nodes{turn_[before], std::vector<NodeId>(walked_.size() - turn_[before], reject_)};
    std::uint64_t tests = 0;
    for (const Point point : reached) {
      at(nodes, point) = graph_.ret(states_[point][where]);
      tests += tests_in(states_[point][where]);
    }
    for (std::size_t n = walked_.size() - reached.size(); n-- > nodes.first;) {
      const Step& step = steps_[walked_[n]];
      if (step.kind == Step::Kind::Return) continue;
      at(nodes, walked_[n]) = node(step, nodes);
      if (at(nodes, walked_[n]) != reject_) tests += 1 + tests_in(step.a) + tests_in(step.b);
    }
    const ValueId chosen = graph_.choice(at(nodes, before), span());
    tests_in(chosen);
    tests_[static_cast<std::uint32_t>(chosen)] = tests;
    if (tests > limits_.lifted_tests && !problem_)
      problem_ = problem(Code::TooLarge, fmt::format("what is held here depends on more than {} tests", limits_.lifted_tests));
    return chosen;
  }

  /// The tests of a value's choices, each counted wherever it stands: code of them is made anew there.
  std::uint64_t tests_in(ValueId v) {
    for (auto n = static_cast<std::uint32_t>(tests_.size()); n < graph_.value_count(); ++n) {
      const ir::Value& next = graph_[ValueId{n}];
      std::uint64_t tests = 0;
      for (const ValueId operand : {next.a, next.b})
        if (operand != ir::no_value) tests += tests_[static_cast<std::uint32_t>(operand)];
      tests_.push_back(std::min<std::uint64_t>(tests, limits_.lifted_tests + 1));
    }
    return v == ir::no_value ? 0 : tests_[static_cast<std::uint32_t>(v)];
  }

  Way on(const State& state) { return {reach(at_ + 1, state), {}}; }
  Way on(const State& state, std::uint32_t distance) { return {reach(at_ + 1 + distance, state), {}}; }

  Span span() const { return at_ < source_.spans.size() ? source_.spans[at_] : Span{}; }

  Diagnostic problem(Code code, std::string what, std::string hint = {}) const {
    return {code, span(), fmt::format("{}: {}", cbpf::name(source_, at_), what), std::move(hint)};
  }

  // ---- instructions ----------------------------------------------------------------------------------

  Step step(State s) {  // a copy: reaching others moves the states
    const Instruction& i = code_[at_];
    switch (i.code & 0x07) {
      case op::LD: return load(i, s, place_a);
      case op::LDX: return load(i, s, place_x);
      case op::ST: s[first_scratch + i.k] = s[place_a]; break;
      case op::STX: s[first_scratch + i.k] = s[place_x]; break;
      case op::ALU: return compute(i, s);
      case op::JMP: return jump(i, s);
      case op::RET:
        return {.kind = Step::Kind::Return, .a = static_cast<Opcode>(i.code) == Opcode::RetA ? s[place_a] : graph_.constant(i.k)};
      default:
        if (static_cast<Opcode>(i.code) == Opcode::Tax) s[place_x] = s[place_a];
        else s[place_a] = s[place_x];
    }
    return {.t = on(s)};
  }

  ValueId operand(const Instruction& i, const State& s) { return (i.code & op::X) != 0 ? s[place_x] : graph_.constant(i.k); }

  Step put(State s, std::size_t where, ValueId value) {
    s[where] = value;
    return {.t = on(s)};
  }

  Step compute(const Instruction& i, const State& s) {
    if (static_cast<Opcode>(i.code) == Opcode::Neg) return put(s, place_a, arith(Arith::Sub, graph_.constant(0), s[place_a]));
    const Arith which = *arith_of(i.code);
    ValueId with = operand(i, s);
    if (which == Arith::Div || which == Arith::Mod) return divide(which, with, s);
    if (which == Arith::Lsh || which == Arith::Rsh) with = shift_of(with);
    return put(s, place_a, arith(which, s[place_a], with));
  }

  Step divide(Arith which, ValueId by, const State& s) {
    const auto fixed = ir::constant_of(graph_, by);
    if (fixed == 0u) return {};
    Step result = put(s, place_a, arith(which, s[place_a], by));
    if (!fixed && ranges_.of(by).low == 0) {
      result.kind = Step::Kind::NonZero;
      result.a = by;
    }
    return result;
  }

  /// The kernel takes five bits of a distance.
  ValueId shift_of(ValueId by) {
    if (machine_ == Machine::Libpcap || ranges_.of(by).high < 32) return by;
    return arith(Arith::And, by, graph_.constant(31));
  }

  Step jump(const Instruction& i, const State& s) {
    const auto relation = relation_of(i.code);
    if (!relation) return {.t = on(s, i.k)};
    const ValueId a = s[place_a], b = operand(i, s);
    const auto x = ir::constant_of(graph_, a), y = ir::constant_of(graph_, b);
    if (x && y) return {.t = on(s, holds(*relation, *x, *y) ? i.jt : i.jf)};
    if (i.jt == i.jf) return {.t = on(s, i.jt)};
    return {.kind = Step::Kind::Test, .relation = *relation, .a = a, .b = b, .t = on(s, i.jt), .f = on(s, i.jf)};
  }

  // ---- loads -----------------------------------------------------------------------------------------

  Step load(const Instruction& i, const State& s, std::size_t where) {
    switch (i.code & 0xe0) {
      case op::IMM: return put(s, where, graph_.constant(i.k));
      case op::MEM: return put(s, where, s[first_scratch + i.k]);
      case op::LEN: return put(s, where, graph_.length());
      case op::ABS: return i.k < meta_offset ? bytes(i, s, where, graph_.constant(0)) : metadata(i, s);
      case op::IND: return bytes(i, s, where, s[place_x]);
      default: return bytes(i, s, where, graph_.constant(0));
    }
  }

  Step metadata(const Instruction& i, const State& s) {
    if (machine_ == Machine::Libpcap && !libpcap_knows(i.k, size_of(i.code))) return {};  // rejects there
    if (i.k == cbpf::xor_x) return put(s, place_a, arith(Arith::Xor, s[place_a], s[place_x]));
    if (const auto meta = known_meta(i.k)) return put(s, place_a, graph_.meta(*meta));
    problem_ = problem(Code::Input, "a filter cannot mean this: it is no property of the packet that is known here",
                       "of what the kernel knows there are the protocol, the packet type, the interface and the VLAN tag");
    return {};
  }

  /// Bytes at index + k, as the machine counts.
  Step bytes(const Instruction& i, const State& s, std::size_t where, ValueId index) {
    const auto high = std::uint64_t{ranges_.of(index).high} + i.k;
    if (machine_ == Machine::Libpcap || high < link_offset) return {.t = load_at(i, s, where, index, i.k)};
    const ValueId offset = arith(Arith::Add, index, graph_.constant(i.k));  // wraps
    if (const auto fixed = ir::constant_of(graph_, offset)) return {.t = load_at(i, s, where, from_header(*fixed), 0)};
    return from_any_header(i, s, where, offset);
  }

  /// Offsets that may be negative: below both headers, then those of the link-layer header, then of the network header.
  Step from_any_header(const Instruction& i, const State& s, std::size_t where, ValueId offset) {
    const auto relative = [&](std::uint32_t from, std::uint32_t header) {
      return arith(Arith::Add, offset, graph_.constant(header - from));
    };
    // One test of three ways: `f` gets a test of its own, at no instruction.
    Step negative{.kind = Step::Kind::Test, .relation = Relation::GreaterEqual, .a = offset, .b = graph_.constant(network_offset)};
    negative.t = load_at(i, s, where, relative(network_offset, network_header), 0);
    negative.f = load_at(i, s, where, relative(link_offset, link_header), 0);
    Step first{.kind = Step::Kind::Test, .relation = Relation::GreaterEqual, .a = offset, .b = graph_.constant(link_offset)};
    first.t.to = between(negative);
    first.f = load_at(i, s, where, offset, 0);
    return first;
  }

  /// A point that is no instruction's own: it belongs to the one that is walked, and its turn is behind that.
  Point between(Step step) {
    step.span = span();
    const Point helper = add({}, step);
    turn(helper);
    return helper;
  }

  ValueId from_header(std::uint32_t offset) {
    if (offset >= network_offset) return graph_.constant(offset - network_offset + network_header);
    if (offset >= link_offset) return graph_.constant(offset - link_offset + link_header);
    return graph_.constant(offset);  // from 2^31 on beyond any packet
  }

  /// The way on once bytes at base + k, summed without wrap, are in their place.
  Way load_at(const Instruction& i, const State& s, std::size_t where, ValueId base, std::uint32_t k) {
    const bool nibble = (i.code & 0xe0) == op::MSH;
    const auto size = static_cast<std::uint8_t>(nibble ? 1 : size_of(i.code));
    if (const auto fixed = ir::constant_of(graph_, base)) {
      if (std::uint64_t{*fixed} + k > ir::max_captured) return {};
      k += *fixed;
      base = ir::no_value;
    }
    ValueId value = graph_.load(size, base, k, span());
    if (nibble) value = arith(Arith::Lsh, arith(Arith::And, value, graph_.constant(0xf)), graph_.constant(2));
    State next = s;
    next[where] = value;
    return {on(next).to, Bytes{base, k, size}};
  }

  // ---- values ----------------------------------------------------------------------------------------

  /// a OP b, where b is no constant 0 of a division. What is known now need not be told apart later.
  ValueId arith(Arith which, ValueId a, ValueId b) {
    const auto x = ir::constant_of(graph_, a), y = ir::constant_of(graph_, b);
    if (x && y) return graph_.constant(*apply(which, *x, *y));
    if (y == 0u && which != Arith::Mul && which != Arith::And) return a;
    if (x == 0u && (which == Arith::Add || which == Arith::Or || which == Arith::Xor)) return b;
    return graph_.binary(which, a, b);
  }

  // ---- nodes -----------------------------------------------------------------------------------------

  /// The nodes of the points that had their turn from the first on.
  struct Nodes {
    std::size_t first = 0;
    std::vector<NodeId> made;
  };
  NodeId& at(Nodes& nodes, Point point) { return nodes.made[turn_[point] - nodes.first]; }

  /// The whole graph's root.
  NodeId build() {
    Nodes nodes{0, std::vector<NodeId>(walked_.size(), reject_)};
    for (std::size_t n = walked_.size(); n-- > 0;) at(nodes, walked_[n]) = node(steps_[walked_[n]], nodes);
    return nodes.made.front();
  }

  NodeId entry(const Way& way, Span span, Nodes& nodes) {
    const bool leaves = way.to == nowhere || turn_[way.to] == no_turn;  // no turn yet: beyond the end of a choice
    const NodeId to = leaves ? reject_ : at(nodes, way.to);
    return way.guard && to != reject_ ? graph_.guard(way.guard->size, way.guard->base, way.guard->k, to, span) : to;
  }

  NodeId node(const Step& s, Nodes& nodes) {
    switch (s.kind) {
      case Step::Kind::Go: return entry(s.t, s.span, nodes);
      case Step::Kind::Return: return graph_.ret(s.a);
      case Step::Kind::NonZero: return graph_.nonzero(s.a, entry(s.t, s.span, nodes), s.span);
      case Step::Kind::Test: {
        const NodeId t = entry(s.t, s.span, nodes), f = entry(s.f, s.span, nodes);
        return t == f ? t : graph_.test(s.relation, s.a, s.b, t, f, s.span);
      }
    }
    return reject_;
  }

  const cbpf::Program& source_;
  const std::vector<Instruction>& code_;
  const Machine machine_;
  const Meeting meeting_;
  const Limits& limits_;
  const std::vector<Places> live_;
  ir::Program graph_;
  ir::Ranges ranges_{graph_};

  std::size_t at_ = 0;                      ///< the instruction that is walked
  Point from_ = 0;                          ///< the point that is
  std::vector<State> states_;               ///< by point
  std::vector<Step> steps_;
  std::vector<std::size_t> turn_;           ///< of those that had it: their place in walked_
  std::vector<Point> walked_;               ///< those that had their turn
  Dominators ways_;
  std::vector<std::uint64_t> tests_;        ///< by value
  std::vector<std::vector<Point>> points_;  ///< by instruction, of those that are still to be walked
  std::vector<std::unordered_map<State, Point, HashState>> known_;
  std::optional<Diagnostic> problem_;
  const NodeId reject_ = graph_.ret(0u);
};

/// libpcap's code for `protochain` has a loop, which no kernel takes.
std::optional<Diagnostic> jump_back(const cbpf::Program& p) {
  for (std::size_t at = 0; at < p.instructions.size(); ++at) {
    if (static_cast<Opcode>(p.instructions[at].code) != Opcode::Ja || p.instructions[at].k < 0x80000000) continue;
    return Diagnostic{Code::Input,
                      at < p.spans.size() ? p.spans[at] : Span{},
                      fmt::format("{}: jumps back, and a filter has no loops", cbpf::name(p, at)),
                      {}};
  }
  return std::nullopt;
}

}  // namespace

Result<ir::Program> lift(const cbpf::Program& program, Machine machine, const Limits& limits) {
  if (auto problem = jump_back(program)) return std::unexpected(std::move(*problem));
  if (auto problem = cbpf::check_form(program)) return std::unexpected(std::move(*problem));
  Lifting lifting(program, machine, Meeting::Apart, limits);
  auto apart = lifting.run();
  if (apart ? !lifting.is_long() : apart.error().code != Code::TooLarge) return apart;
  auto together = Lifting(program, machine, Meeting::Together, limits).run();
  return together ? std::move(together) : std::move(apart);
}

bool is_for_kernel(const cbpf::Program& program) {
  return std::ranges::any_of(program.instructions, [](const Instruction& i) {
    return is_absolute(i) && i.k >= link_offset && !libpcap_knows(i.k, size_of(i.code));
  });
}

}  // namespace weir::lift
