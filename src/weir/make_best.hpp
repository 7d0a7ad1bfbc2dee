// Which program for a filter the kernel takes: several are made, best first, until one loads.
#pragma once
#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/result.hpp"
#include "ebpf/counted.hpp"
#include "ebpf/emit.hpp"
#include "ir/program.hpp"

namespace weir {

/// From how many entries on lists are maps in a program that would otherwise jump too far for kernels before 6.6.
inline constexpr std::size_t map_threshold_without_far_jumps = 64;

/// In nodes: from here on it counts what time the kernel's verifier takes.
inline constexpr std::size_t long_graph = 1000;

inline bool has_far_jumps(const ebpf::Program& p) {
  return std::ranges::any_of(p.instructions, [](const ebpf::Instruction& i) { return i.code == (ebpf::op::JMP32 | ebpf::op::JA); });
}

template <class Loaded>
struct Made {
  ebpf::Program program;
  Loaded loaded;
};

/// Shorter programs have no jumps that are too short for a kernel which hides constants: it makes at most 36 instructions of one.
inline constexpr std::size_t surely_short = 900;

template <class Load>
auto make_one(const ir::Program& graph, const ebpf::EmitOptions& how, bool counts, const Load& load)
    -> Result<Made<typename decltype(load(ebpf::Program{}))::value_type>> {
  auto program = ebpf::emit(graph, how);
  if (!program) return std::unexpected(program.error());
  if (counts) *program = ebpf::counted(std::move(*program));
  auto loaded = load(*program);
  if (!loaded) return std::unexpected(loaded.error());
  return Made{std::move(*program), std::move(*loaded)};
}

/// What is tried first of a graph's programs at a hook. For hook socket nothing computes with addresses: that takes more rights.
inline ebpf::EmitOptions first_choice(const ir::Program& graph, ebpf::EmitOptions how) {
  how.loads_in_functions = graph.node_count() > long_graph;
  if (how.hook == ebpf::Hook::Socket) how.table_threshold = {};
  return how;
}

/// Makes a program in place of one that the kernel cannot take: a long one for kernels that hide constants, and for those that
/// know no far jumps, with lists in maps. What was made already, where neither loads.
template <class Load, class Made>
Made make_instead(Made made, const ir::Program& graph, ebpf::EmitOptions how, bool counts, const Load& load) {
  const auto plain = ebpf::emit(graph, how);
  if (!plain || plain->instructions.size() < surely_short) return made;
  how.hides_constants = true;
  if (auto instead = make_one(graph, how, counts, load)) return instead;
  how.hides_constants = false;
  if (how.map_threshold || !has_far_jumps(*plain)) return made;
  how.map_threshold = map_threshold_without_far_jumps;
  if (auto instead = make_one(graph, how, counts, load)) return instead;
  return made;
}

/// The graph's program, loaded by `load`, which gives a Result. One that the kernel cannot take is tried again otherwise, in the
/// end without functions: not all translations to machine code have calls of them (kernel/bpf/verifier.c, jit_subprogs()), and
/// they take CAP_BPF (add_subprog_and_kfunc()), which sockets may do without. Errors are those of the first.
template <class Load>
auto make_program(const ir::Program& graph, ebpf::EmitOptions how, bool counts, const Load& load) {
  how = first_choice(graph, how);
  auto made = make_one(graph, how, counts, load);
  const auto is_refused = [&] { return !made && made.error().code == Code::Unsupported; };
  if (is_refused()) made = make_instead(std::move(made), graph, how, counts, load);
  const bool is_not_permitted = !made && made.error().code == Code::System && how.hook == ebpf::Hook::Socket;
  if (!how.loads_in_functions || !(is_refused() || is_not_permitted)) return made;
  how.loads_in_functions = false;
  auto instead = make_one(graph, how, counts, load);
  return instead ? std::move(instead) : std::move(made);
}

/// For hook socket the faster program where this kernel and the caller's rights allow it (`has_pointers`), and its verifier takes it.
template <class Load>
auto make_best(const ir::Program& graph, ebpf::EmitOptions how, bool counts, bool has_pointers, const Load& load) {
  if (how.hook == ebpf::Hook::Socket && has_pointers) {
    how.hook = ebpf::Hook::SocketBtf;
    if (auto made = make_program(graph, how, counts, load)) return made;
    how.hook = ebpf::Hook::Socket;
  }
  return make_program(graph, how, counts, load);
}

}  // namespace weir
