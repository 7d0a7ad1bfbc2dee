// Filters to hooks: the graph as a program, into the kernel, to its place.
#include "weir/attach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "attach/cgroup.hpp"
#include "attach/drain.hpp"
#include "attach/kernel_probe.hpp"
#include "attach/socket_filter.hpp"
#include "attach/socket_program.hpp"
#include "attach/tracing.hpp"
#include "attach/xdp.hpp"
#include "lift/lift.hpp"
#include "weir/attachment.hpp"
#include "weir/graph.hpp"
#include "weir/make_best.hpp"
#include "weir/stages.hpp"

namespace weir {
namespace {

#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) \
  static_assert(static_cast<int>(Hook::hook) == static_cast<int>(ebpf::Hook::hook));
#include "ebpf/hooks.def"
#undef WEIR_HOOK

using State = Attachment::State;

bool is_tracing(Hook hook) { return hook == Hook::Tracing || hook == Hook::TracingBtf; }
bool is_set(const ebpf::Map& map) { return map.kind == ebpf::MapKind::Hash || map.kind == ebpf::MapKind::LpmTrie; }

void find_lists(State& state, const ebpf::Program& program) {
  constexpr std::uint32_t prefix_length = 4;  // at the beginning of a trie's keys
  for (std::size_t i = 0; i < program.maps.size(); ++i) {
    const ebpf::Map& map = program.maps[i];
    if (map.kind == ebpf::MapKind::PerCpuArray) state.counters = i;
    if (!is_set(map)) continue;
    const bool networks = map.kind == ebpf::MapKind::LpmTrie;
    const std::string_view words = map.span.end <= state.text.size()
                                       ? std::string_view(state.text).substr(map.span.begin, map.span.end - map.span.begin)
                                       : "";
    state.lists.push_back({words, map.key_bytes - (networks ? prefix_length : 0), networks});
    state.list_maps.push_back(i);
  }
}

/// The graph with its lists as they were written: later passes would put other tests between those of an address, or ask for parts of it.
Result<ir::Program> graph_of_lists(const Filter::Stages& stages) {
  const auto& source = stages.source;
  return graph_after("sets", source ? lift::lift(source->program, source->machine, stages.limits)
                                    : first_graph(stages.pred, true, stages.limits));
}

/// Lists that live: a program has 64 maps (ebpf::max_maps), one of them for counters, and what does not find all of the few that
/// it wants stays tests, which nothing could change.
constexpr std::size_t most_live_lists = 60;

/// The graph as a program in the kernel, which runs nowhere yet.
Result<std::unique_ptr<State>> load(const Filter::Stages& stages, const AttachOptions& options, const std::string& tracepoint) {
  const auto hook = static_cast<ebpf::Hook>(options.hook);
  ebpf::EmitOptions how{.hook = hook, .match = options.match, .no_match = options.no_match};
  if (options.live) how.map_threshold = 1;
  else how.table_threshold = ebpf::usual_table_threshold;
  const auto lists = options.live ? graph_of_lists(stages) : Result<ir::Program>(ir::Program{});
  if (!lists) return std::unexpected(lists.error());
  const bool counts = options.count && !is_socket(options.hook) && !is_tracing(options.hook);
  const attach::LoadOptions loading{.text = stages.text, .room = options.live ? options.room : 0, .tracepoint = tracepoint};
  auto made = make_best(options.live ? *lists : stages.ir, how, counts, hook == ebpf::Hook::Socket && attach::gives_packet_pointers(),
                        [&](const ebpf::Program& program) { return attach::Loaded::load(program, loading); });
  if (!made) return std::unexpected(made.error());
  if (options.live && static_cast<std::size_t>(std::ranges::count_if(made->program.maps, is_set)) > most_live_lists)
    return fail(Code::TooLarge, {},
                fmt::format("the filter has more than {} lists, and no more can change while it runs", most_live_lists),
                "split it into several filters, or leave lists fixed");
  auto state = std::make_unique<State>();
  state->text = stages.text;
  state->live = options.live;
  find_lists(*state, made->program);
  state->loaded = std::move(made->loaded);
  return state;
}

Result<std::unique_ptr<State>> attach_classic(const Filter::Stages& stages, int socket) {
  if (!stages.cbpf) return std::unexpected(stages.cbpf.error());
  auto attached = attach::SocketFilter::attach(*stages.cbpf, socket);
  if (!attached) return std::unexpected(attached.error());
  attached->release();
  auto state = std::make_unique<State>();
  state->text = stages.text;
  state->as = Attached::Classic;
  state->description = fmt::format("classic BPF, {} instructions, on socket {}", stages.cbpf->instructions.size(), socket);
  state->handle.emplace<OnSocket>(socket);
  return state;
}

Result<std::unique_ptr<State>> attach_ebpf(const Filter::Stages& stages, int socket, const AttachOptions& options) {
  auto state = load(stages, options, {});
  if (!state) return state;
  if (auto attached = attach::attach_socket(*(*state)->loaded, socket); !attached) return std::unexpected(attached.error());
  (*state)->as = Attached::Ebpf;
  (*state)->description = fmt::format("eBPF program {} on socket {}", (*state)->loaded->id(), socket);
  (*state)->handle.emplace<OnSocket>(socket);
  return state;
}

/// Classic BPF, unless the options ask for eBPF or need it; or that, where the kernel does not take the filter otherwise and the
/// options permit it.
Result<std::unique_ptr<State>> attach_to_socket(const Filter::Stages& stages, int socket, const AttachOptions& options) {
  if (!is_socket(options.hook))
    return fail(Code::Unsupported, {},
                "a socket is no place for that hook: it takes the name of an interface, of a control group or of a tracepoint");
  if (!options.pin.empty())
    return fail(Code::Unsupported, {}, "a filter on a socket cannot be pinned: it stays as long as the socket is open");
  if (options.hook == Hook::SocketBtf || options.live || options.match || options.no_match) return attach_ebpf(stages, socket, options);
  auto state = attach_classic(stages, socket);
  if (state || state.error().code != Code::TooLarge || !options.may_use_ebpf) return state;
  auto instead = attach_ebpf(stages, socket, options);
  if (instead) (*instead)->refused_classic = std::move(state.error());
  return instead;
}

template <class Handle>
Result<void> put(State& state, Result<Handle> attached, Attached as, std::string description) {
  if (!attached) return std::unexpected(std::move(attached.error()));
  state.handle.template emplace<Handle>(std::move(*attached));
  state.as = as;
  state.description = std::move(description);
  return {};
}

Result<void> attach_xdp(State& state, const std::string& where, const AttachOptions& options) {
  static_assert(static_cast<int>(AttachOptions::XdpMode::Native) == static_cast<int>(attach::XdpMode::Native) &&
                static_cast<int>(AttachOptions::XdpMode::Generic) == static_cast<int>(attach::XdpMode::Generic));
  const auto on = attach::find_interface(where);
  if (!on) return std::unexpected(on.error());
  auto link = attach::attach_xdp(*state.loaded, *on, static_cast<attach::XdpMode>(options.xdp_mode));
  const bool generic = link && attach::running_mode(*on) == attach::XdpMode::Generic;
  return put(state, std::move(link), generic ? Attached::XdpGeneric : Attached::XdpNative,
             fmt::format("XDP program {}, {} mode, on {}", state.loaded->id(), generic ? "generic" : "native", where));
}

Result<void> attach_tc(State& state, const std::string& where, const AttachOptions& options) {
  const auto on = attach::find_interface(where);
  if (!on) return std::unexpected(on.error());
  const std::string what = fmt::format("program {} at the traffic control of {}, {}", state.loaded->id(), where,
                                       options.hook == Hook::TcIngress ? "ingress" : "egress");
  if (options.clsact) return put(state, attach::attach_clsact(*state.loaded, *on), Attached::Clsact, what + " (clsact)");
  auto attached = attach::attach_traffic_control(*state.loaded, *on);
  if (!attached) return std::unexpected(std::move(attached.error()));
  if (auto* filter = std::get_if<attach::ClsactFilter>(&*attached))
    return put<attach::ClsactFilter>(state, std::move(*filter), Attached::Clsact, what + " (clsact)");
  return put<attach::Link>(state, std::move(std::get<attach::Link>(*attached)), Attached::Tcx, what + " (tcx)");
}

Result<void> attach_at(State& state, const std::string& where, const AttachOptions& options) {
  const unsigned id = state.loaded->id();
  switch (options.hook) {
    case Hook::Xdp: return attach_xdp(state, where, options);
    case Hook::TcIngress:
    case Hook::TcEgress: return attach_tc(state, where, options);
    case Hook::Cgroup: {
      const bool in = options.direction == AttachOptions::Direction::Ingress;
      return put(state, attach::attach_cgroup(*state.loaded, where, in ? attach::Direction::Ingress : attach::Direction::Egress),
                 Attached::Cgroup, fmt::format("program {} at the control group {}, {}", id, where, in ? "ingress" : "egress"));
    }
    case Hook::Tracing:
    case Hook::TracingBtf:
      return put(state, attach::attach_tracing(*state.loaded, where), Attached::Tracepoint,
                 fmt::format("program {} at the tracepoint {}", id, where));
    case Hook::Socket:
    case Hook::SocketBtf: break;
  }
  return fail(Code::Unsupported, {}, "the hook socket takes a socket, not a name");
}

Result<void> pin(State& state, const std::string& path) {
  if (path.empty()) return {};
  if (const auto* link = std::get_if<attach::Link>(&state.handle)) return link->pin(path);
  return fail(Code::Unsupported, {}, "a program in clsact cannot be pinned", "it stays by itself: release() leaves it there");
}

}  // namespace

Result<Attachment> Filter::attach(int socket, const AttachOptions& options) const {
  auto state = attach_to_socket(*stages_, socket, options);
  if (!state) return std::unexpected(std::move(state.error()));
  return Attachment(std::move(*state));
}

Result<Attachment> Filter::attach(const std::string& where, const AttachOptions& options) const {
  auto state = load(*stages_, options, where);
  if (!state) return std::unexpected(std::move(state.error()));
  Attachment attached(std::move(*state));  // detaches when pinning fails
  if (auto done = attach_at(*attached.state_, where, options); !done) return std::unexpected(std::move(done.error()));
  if (auto done = pin(*attached.state_, options.pin); !done) return std::unexpected(std::move(done.error()));
  return attached;
}

Result<Replacement> Filter::replace(int socket, const AttachOptions& options, bool keep_waiting) const {
  const auto reads = attach::reads_of(socket);
  if (!reads) return std::unexpected(reads.error());
  const bool same = *reads == attach::Reads::Same;
  if (*reads == attach::Reads::Stream || (!same && keep_waiting)) {
    return fail(Code::Unsupported, {},
                "what waits in this socket cannot be looked at anew: reading it does not give what its filter sees",
                *reads == attach::Reads::Stream ? "attach() replaces the filter; what was let through before stays"
                                                : "keep_waiting = false discards what waits");
  }
  if (auto can = attach::can_wait_for_running_filters(); !can) return std::unexpected(can.error());
  auto state = attach_to_socket(*stages_, socket, options);
  if (!state) return std::unexpected(std::move(state.error()));
  Attachment attached(std::move(*state));
  Replacement done{.waiting = {}, .discarded = 0, .as = attached.as()};
  attached.release();
  attach::wait_for_running_filters();
  attach::drain(socket, [&](attach::Waiting packet) {
    const auto kept = same ? run({.bytes = packet.bytes, .length = packet.length, .meta = packet.meta}) : 0;
    if (kept == 0) {
      ++done.discarded;
      return;
    }
    if (packet.bytes.size() > kept) packet.bytes.resize(kept);
    done.waiting.push_back({std::move(packet.bytes), packet.length, packet.meta, std::move(packet.from)});
  });
  return done;
}

}  // namespace weir
