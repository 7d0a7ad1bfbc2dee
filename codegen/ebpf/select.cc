#include "ebpf/select.hpp"

#include <algorithm>

namespace weir::ebpf {

using ir::NodeId, ir::NodeKind;

namespace {

/// What a program returns must tell its two verdicts apart, and be a verdict of the hook (kernel/bpf/verifier.c, check_return_code).
std::optional<Diagnostic> problem_with(const EmitOptions& o) {
  const std::int32_t no = o.no_match.value_or(*find_action(o.hook, "drop"));
  if (o.match == no || (!o.match && no == find_action(o.hook, "pass") && !is_socket(o.hook)))
    return Diagnostic{weir::Code::Range,
                      {},
                      "the program would return the same for packets that match and that do not",
                      "match and no-match must differ"};
  if (o.hook == Hook::Cgroup && (no < 0 || no > 1 || (o.match && (*o.match < 0 || *o.match > 1))))
    return Diagnostic{weir::Code::Range,
                      {},
                      "a program of a control group returns 0 (drop) or 1 (pass)",
                      "there are no other actions for hook cgroup"};
  if (is_socket(o.hook) && !o.match && no != 0)
    return Diagnostic{weir::Code::Range,
                      {},
                      "a socket filter that returns something for packets that do not match needs a number for those that do",
                      "give match, too"};
  return std::nullopt;
}

}  // namespace

Select::Select(const ir::Program& p, const EmitOptions& options, ContextIn context)
    : program_(p),
      options_(options),
      row_(row_of(options.hook)),
      thresholds_(thresholds_of(p, options)),
      ranges_(p),
      needs_(p, ranges_),
      context_(context == ContextIn::Argument ? argument : saved_context),
      is_alone_(context == ContextIn::Alone) {
  if (is_alone_) data_ = data_alone, data_end_ = data_end_alone;
  made_.hook = options.hook;
  made_.no_match = options.no_match.value_or(*find_action(options.hook, "drop"));
  match_ = options.match;
  if (!match_ && !is_socket(options.hook)) match_ = find_action(options.hook, "pass");
  accept_ = code_.label();
  reject_ = code_.label();
  rejects_at_once_ = code_.label();
  rejects_if_linear_ = code_.label();
  elsewhere_ = code_.label();
}

Result<ebpf::Program> Select::run() {
  const ir::Node& root = program_[program_.root];
  const bool is_constant = root.kind == NodeKind::Return && ir::constant_of(program_, root.a);
  const bool has_pointers = row_.packets == Packets::Pointers && asks_for_bytes();
  if (!has_pointers) context_ = saved_context, is_alone_ = false;
  if (context_ == saved_context && (!is_constant || row_.packets == Packets::Probe)) code_.move(context_, argument);
  if (row_.packets == Packets::Probe) {
    begin_tracing();
    copy(Reach::Calls, true);
  } else if (has_pointers) {
    begin_pointers();
    copy(Reach::Pointers, true);
    leave_pointers();
    // Of the kernel's own loads there is one for each. Others than sockets have calls: `counted` makes a function of the program,
    // and they are in none.
    // And so have long programs: what the kernel makes of each such load moves all of the program behind it.
    copy(is_socket(made_.hook) && !options_.loads_in_functions ? Reach::Absolute : Reach::Calls, false);
  } else {
    const std::size_t first = code_.size();
    if (!is_constant) ask_length(length);
    const std::size_t last = code_.size();
    // Such loads end the program with 0 when they fail. None does behind its guard.
    copy(row_.packets == Packets::Loads && !options_.loads_in_functions ? Reach::Absolute : Reach::Calls, true);
    if (!uses_length_) code_.drop(first, last);
  }
  end();
  if (trouble_) return std::unexpected(std::move(*trouble_));
  if (auto done = code_.finish(made_, options_.hides_constants); !done) return std::unexpected(std::move(done.error()));
  return std::move(made_);
}

bool Select::asks_for_bytes() const {
  const std::vector<bool> reached = ir::reachable(program_);
  for (std::uint32_t i = 0; i < program_.node_count(); ++i)
    if (reached[i] && program_[NodeId{i}].kind == NodeKind::Guard) return true;
  return false;
}

/// The graph once. `merges`: guards ask for what all ways need; not in a copy for packets that are seldom.
void Select::copy(Reach reach, bool merges) {
  const Plan plan(program_, reach, !merges);
  if (plan.too_deep()) {
    trouble_ = Diagnostic{weir::Code::TooLarge, {}, "values of the filter are nested too deep for eBPF", "split it into several filters"};
    return;
  }
  plan_ = &plan;
  reach_ = reach;
  machine_ = {};
  homes_.clear();
  settled_.clear();
  Graph g = graph_of(program_.root);
  g.merges = merges;
  go_to(g, program_.root);
  select(g);
  if (has_verdict() && !code_.is_bound(rejects_at_once_)) code_.bind(rejects_at_once_), code_.exit();
  plan_ = nullptr;
}

void Select::save_context() {
  code_.move(saved_context, argument);
  context_ = saved_context;
}

void Select::begin_pointers() {
  const bool is_xdp = row_.context == ContextKind::XdpMd;
  code_.load(data_, context_, is_xdp ? field_at::XdpData : field_at::Data, 4);
  code_.load(data_end_, context_, is_xdp ? field_at::XdpDataEnd : field_at::DataEnd, 4);
  if (made_.hook == Hook::SocketBtf) code_.alu64(op::SUB, data_end_, data_);
  if (is_alone_) code_.set(verdict_alone, static_cast<std::uint32_t>(made_.no_match));
}

/// Between the copies: a packet that ends with its linear part has no more bytes than the failed check saw.
void Select::leave_pointers() {
  constexpr std::uint32_t most_added = 0xffff;  // to a packet pointer
  constexpr Register whole = 2;
  const bool is_saved = context_ == saved_context;
  const Label go_on = is_saved ? elsewhere_ : code_.label();
  code_.words({});
  for (const auto& [fails, end] : ahead_) {
    code_.bind(fails);
    check_linear(end, rejects_if_linear_);
    code_.jump(elsewhere_);
  }
  code_.bind(rejects_if_linear_);
  if (!is_saved) save_context();
  ask_length(whole);
  if (made_.hook == Hook::SocketBtf) {
    code_.jump({.relation = op::JLE, .wide = true, .left = whole, .right = data_end_}, reject_);
  } else {
    code_.jump({.relation = op::JGT, .wide = true, .left = whole, .k = most_added}, go_on);
    code_.move(1, data_);
    code_.alu64(op::ADD, 1, whole);
    code_.jump({.relation = op::JLE, .wide = true, .left = 1, .right = data_end_}, reject_);
  }
  if (!is_saved) code_.move(argument, saved_context);  // as on the ways that come from the first copy
  code_.bind(elsewhere_);
  if (!is_saved) {
    save_context();
    code_.bind(go_on);
  }
  if (!is_alone_) ask_length(length);
}

/// The length of the whole packet. It may take a call.
void Select::ask_length(Register to) {
  if (row_.context == ContextKind::SkBuff) return code_.load(to, context_, field_at::Length, 4);
  code_.move(argument, context_);
  call(helper::BuffLength);
  code_.move32(to, 0);
}

/// Ends with what the graph returns.
void Select::verdict(std::uint32_t graph_value) {
  if (row_.packets == Packets::Probe) return code_.jump(graph_value != 0 ? accept_ : reject_);
  const auto accepted = match_ ? static_cast<std::uint32_t>(*match_) : graph_value;
  code_.set(0, graph_value != 0 ? accepted : static_cast<std::uint32_t>(made_.no_match));
  code_.exit();
}

void Select::end() {
  code_.words({});
  if (row_.packets == Packets::Probe) {
    code_.bind(accept_);
    count_and_end(true);
    code_.bind(reject_);
    return count_and_end(false);
  }
  code_.bind(reject_);
  verdict(0);
  loading_functions();
}

namespace {

/// Whether it is worth to see if a program gets on without calls: a small one that asks no map.
bool may_call_nothing(const ir::Program& p, const EmitOptions& options) {
  constexpr std::size_t most_nodes = 1000;
  if (row_of(options.hook).packets != Packets::Pointers || p.node_count() > most_nodes) return false;
  const MapThresholds thresholds = thresholds_of(p, options);
  for (std::uint32_t i = 0; i < p.node_count(); ++i)
    if (const auto& n = p[NodeId{i}];
        n.kind == NodeKind::Member && !is_for_table(p.set_of(n), 4, thresholds) && is_for_map(p.set_of(n), 4, thresholds))
      return false;
  return thresholds.hash > 1;
}

}  // namespace

Result<ebpf::Program> emit(const ir::Program& p, const EmitOptions& options) {
  if (const auto wrong = problem_with(options)) return std::unexpected(*wrong);
  if (may_call_nothing(p, options)) {
    // What reads the sk_buff itself has loads of the kernel's own in the second copy, and they want the context in r6.
    Select select(p, options, options.hook == Hook::SocketBtf ? Select::ContextIn::Alone : Select::ContextIn::Argument);
    auto made = select.run();
    if (!select.lost_context()) return made;
  }
  return Select(p, options, Select::ContextIn::Saved).run();
}

}  // namespace weir::ebpf
