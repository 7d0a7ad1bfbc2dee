// How an encoder turns a graph into code, whatever the CPU: what is asked at each node, together with what, and where its ways
// lead. A CPU's encoder fills in how something is asked and how an answer is acted on.
//
// What is selected is a function of one packet, or the body of a loop over many.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "ir/program.hpp"
#include "native/code.hpp"
#include "native/plan.hpp"
#include "native/records.hpp"
#include "native/walk.hpp"

namespace weir::native {

/// `Question`: a comparison that an encoder has made, or is ready to make.
template <typename Question>
class Selection : protected Walk {
 public:
  /// Whether so much code came of it that nobody would gain by it; it is not whole then.
  bool too_long() const { return too_long_; }

 protected:
  Selection(const ir::Program& p, const Plan& plan, Form form) : Walk(p), plan_(plan), form_(form), records_(records_of(form)) {}
  ~Selection() = default;

  // ---- filled in by the encoder of a CPU ----------------------------------------------------------------

  /// Bytes of code so far.
  virtual std::size_t position() const = 0;
  virtual Label new_label() = 0;
  virtual void bind(Label here) = 0;
  virtual void jump(Label to) = 0;
  /// Jumps where it holds.
  virtual void jump_if(const Question& q, Label to) = 0;
  virtual Question opposite(const Question& q) const = 0;

  /// Whether not so many bytes behind `base` are captured.
  virtual Question ask_cut(ir::ValueId base, std::uint64_t end) = 0;
  virtual Question ask_zero(ir::ValueId v) = 0;
  virtual Question ask(const ir::Node& test) = 0;
  /// Whether bytes at a place are these; pieces that come later have the same base as the first one. Registers of the pool
  /// change with the first one only: its way out may be taken by then.
  virtual Question ask_piece(const ir::Piece& piece, bool is_first) = 0;
  /// Where a membership leads when that is clear before what is asked last.
  struct Ways {
    Label in, out;
  };
  /// Whether it takes jumps to ask for a membership, so that it needs to know its ways.
  virtual bool jumps(const ir::Node& member) = 0;
  /// Has the value at hand that is looked up.
  virtual void prepare(const ir::Node& member) = 0;
  virtual Question ask_member(const ir::Node& member, const std::optional<Ways>& ways) = 0;
  /// Whether asking costs less than a branch that is mispredicted now and then, and can be done beside `first`.
  virtual bool is_cheap(const ir::Node& n, const ir::Node& first) = 0;
  /// Whether there are registers enough to ask several things.
  virtual bool has_room_for_several() const = 0;
  /// Whether one of them holds.
  virtual Question ask_all(const Either& all) = 0;

  /// Puts a value where the choice is kept.
  virtual void keep(ir::ValueId chosen, std::uint32_t home) = 0;
  virtual void return_value(ir::ValueId v) = 0;
  virtual void return_constant(std::uint32_t k) = 0;
  /// k when it holds, 0 otherwise.
  virtual void return_if(const Question& q, std::uint32_t k) = 0;

  // ---- the same for all -----------------------------------------------------------------------------------

  bool loops() const { return form_ != Form::One; }
  /// The code of one packet. Before it, reject_ has to be there, and in a loop accept_, too.
  void select_packet();
  /// The graph of a choice in line: its leaves keep what was chosen and go on behind it.
  void select_choice(ir::ValueId choice);
  void mark(Span span);

  const Plan& plan_;
  const Form form_;
  const Records records_;
  Label reject_{}, accept_{};
  bool is_rare_ = false;  ///< few packets come to the code of one: then it is there once, with guards as written
  std::vector<Mark> marks_;

 private:
  /// Beyond so many bytes of code nobody gains by it: it no longer fits the caches.
  static constexpr std::size_t most_bytes = 16u << 20;
  /// Graphs with more nodes are there once: twice as much code would cost more than guards do.
  static constexpr std::size_t most_nodes_twice = 4000;

  void select(Graph& g);
  void node(Graph& g, ir::NodeId id);
  void guard(Graph& g, ir::NodeId id, const ir::Node& n);
  void leaf(Graph& g, const ir::Node& n);
  void end(Place& place, std::uint32_t verdict);
  void member(Graph& g, const ir::Node& n);
  void answer(Graph& g, const Question& q, const ir::Node& n);
  bool wide_test(Graph& g, ir::NodeId id);
  bool either(Graph& g, ir::NodeId id);
  bool ends(Graph& g, const Question& q, ir::NodeId t, ir::NodeId f);
  void branch(Graph& g, const Question& q, ir::NodeId then, ir::NodeId otherwise);
  void begin(Place& place);
  void go_to(Graph& g, ir::NodeId to);
  Label label(Place& place);
  Label way(Graph& g, ir::NodeId to);

  bool too_long_ = false;
};

template <typename Question>
void Selection<Question>::select_packet() {
  Graph as_written = graph_of(program_.root);
  if (plan_.node_count() <= most_nodes_twice && !is_rare_) {
    Graph merged = graph_of(program_.root);
    merged.as_written = &as_written;
    go_to(merged, program_.root);
    select(merged);
    release(as_written, program_.root);  // where nothing leads; only to nodes behind it
  } else {
    go_to(as_written, program_.root);
  }
  select(as_written);
}

template <typename Question>
void Selection<Question>::select_choice(ir::ValueId choice) {
  Place join;
  Graph g = graph_of(program_[choice].root());
  g.choice = choice;
  g.join = &join;
  go_to(g, program_[choice].root());
  select(g);
  begin(join);
}

/// All places of a copy that are reached, each when all ways to it are known.
template <typename Question>
void Selection<Question>::select(Graph& g) {
  while (!too_long_ && g.next()) {
    const ir::NodeId id = g.take_next();
    if (const auto k = verdict(g, id)) {
      end(g[id], *k);
    } else {
      begin(g[id]);
      node(g, id);
    }
    if (position() > most_bytes) too_long_ = true;
  }
}

template <typename Question>
void Selection<Question>::node(Graph& g, ir::NodeId id) {
  using ir::NodeKind;
  const ir::Node& n = program_[id];
  if (n.kind != NodeKind::Return) mark(program_.span(id));
  switch (n.kind) {
    case NodeKind::Return: return leaf(g, n);
    case NodeKind::Guard: return guard(g, id, n);
    case NodeKind::NonZero:
      jump_if(ask_zero(n.a), reject_);
      return go_to(g, n.t);
    case NodeKind::Test: return wide_test(g, id) || either(g, id) ? void() : answer(g, ask(n), n);
    case NodeKind::Member: return either(g, id) ? void() : member(g, n);
  }
}

template <typename Question>
void Selection<Question>::guard(Graph& g, ir::NodeId id, const ir::Node& n) {
  const std::uint64_t own_end = ir::end_of(n);
  if (machine_.captured.has(n.a, own_end)) return go_to(g, n.t);
  const std::uint64_t end = g.as_written != nullptr ? plan_.merged_end(n.a, own_end) : own_end;
  const Question cut = ask_cut(n.a, end);
  Label fails = reject_;
  if (end != own_end) {
    Place& other = (*g.as_written)[id];
    arrive(other);
    fails = label(other);
  }
  jump_if(cut, fails);
  machine_.captured.learn(n.a, end);
  go_to(g, n.t);
}

/// A value that is returned, or chosen.
template <typename Question>
void Selection<Question>::leaf(Graph& g, const ir::Node& n) {
  if (g.join == nullptr) return return_value(n.a);
  const std::uint32_t home = *plan_.home(g.choice);
  keep(n.a, home);
  machine_.at_home |= std::uint64_t{1} << home;
  arrive(*g.join);
  if (g.next()) jump(label(*g.join));  // the last leaf falls through
}

template <typename Question>
void Selection<Question>::end(Place& place, std::uint32_t verdict) {
  if (place.label) bind(*place.label);
  if (!loops()) return return_constant(verdict);
  jump(verdict != 0 ? accept_ : reject_);
}

template <typename Question>
void Selection<Question>::member(Graph& g, const ir::Node& n) {
  if (!jumps(n)) return answer(g, ask_member(n, std::nullopt), n);
  prepare(n);  // choices inside the value change what is known, and so where the ways lead
  const Question q = ask_member(n, Ways{way(g, follow(n.t)), way(g, follow(n.f))});
  const ir::NodeId then = follow(n.t), otherwise = follow(n.f);
  leave(g, n, then, otherwise);
  branch(g, q, then, otherwise);
}

template <typename Question>
void Selection<Question>::answer(Graph& g, const Question& q, const ir::Node& n) {
  const ir::NodeId then = follow(n.t), otherwise = follow(n.f);
  if (ends(g, q, then, otherwise)) {
    release(g, n.t);
    return release(g, n.f);
  }
  leave(g, n, then, otherwise);
  branch(g, q, then, otherwise);
}

// ---- several tests at once ---------------------------------------------------------------------------------

template <typename Question>
bool Selection<Question>::wide_test(Graph& g, ir::NodeId id) {
  const auto wide = adjacent_from(id);
  if (!wide) return false;
  for (std::size_t i = 1; i < wide->links.size(); ++i) mark(program_.span(wide->links[i]));
  Question q{};
  for (const ir::Piece& p : wide->pieces) {
    const bool is_first = &p == &wide->pieces.front();
    if (!is_first) jump_if(opposite(q), way(g, wide->otherwise));
    q = ask_piece(p, is_first);
  }
  leave(g, program_[id], wide->then, wide->otherwise);
  branch(g, q, wide->then, wide->otherwise);
  return true;
}

/// All are asked, and one branch is taken for all; which of them holds cannot be predicted.
template <typename Question>
bool Selection<Question>::either(Graph& g, ir::NodeId id) {
  const ir::Node& n = program_[id];
  if (!has_room_for_several() || !is_cheap(n, n)) return false;
  const auto all = either_from(id, [&](const ir::Node& m) { return is_cheap(m, n); });
  if (!all) return false;
  const Question any = ask_all(*all);
  if (ends(g, any, all->there, all->rest)) {
    release(g, n.t);
    release(g, n.f);
    return true;
  }
  leave(g, n, all->there, all->rest);
  branch(g, any, all->there, all->rest);
  return true;
}

// ---- edges ----------------------------------------------------------------------------------------------

/// Between two constant verdicts, one of them 0, there need not be a branch, which could be mispredicted.
template <typename Question>
bool Selection<Question>::ends(Graph& g, const Question& q, ir::NodeId t, ir::NodeId f) {
  const auto yes = verdict(g, t), no = verdict(g, f);
  if (!yes || !no || (*yes == 0) == (*no == 0)) return false;
  if (*yes != 0) return_if(q, *yes);
  else return_if(opposite(q), *no);
  return true;
}

/// The jumps of a node that was left: what is selected next needs none.
template <typename Question>
void Selection<Question>::branch(Graph& g, const Question& q, ir::NodeId then, ir::NodeId otherwise) {
  const auto following = g.next();
  if (following == then) {
    if (then != otherwise) jump_if(opposite(q), way(g, otherwise));
  } else {
    jump_if(q, way(g, then));
    if (following != otherwise) jump(way(g, otherwise));
  }
}

template <typename Question>
void Selection<Question>::begin(Place& place) {
  if (place.label) bind(*place.label);
  machine_ = std::move(place.machine);
}

template <typename Question>
void Selection<Question>::go_to(Graph& g, ir::NodeId to) {
  const ir::NodeId target = follow(to);
  Place& place = g[target];
  ++place.pending;
  arrive(place);
  release(g, to);
  release(g, target);
  if (g.next() != target) jump(way(g, target));
}

template <typename Question>
Label Selection<Question>::label(Place& place) {
  if (!place.label) place.label = new_label();
  return *place.label;
}

/// Verdicts of a loop are where it takes them, not in places of their own.
template <typename Question>
Label Selection<Question>::way(Graph& g, ir::NodeId to) {
  if (loops())
    if (const auto k = verdict(g, to)) return *k != 0 ? accept_ : reject_;
  return label(g[to]);
}

template <typename Question>
void Selection<Question>::mark(Span span) {
  if (span.empty()) return;
  if (!marks_.empty() && marks_.back().span == span) return;
  if (!marks_.empty() && marks_.back().offset == position()) marks_.pop_back();
  marks_.push_back({position(), span});
}

}  // namespace weir::native
