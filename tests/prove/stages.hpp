// A filter through all stages, and what has to hold between them.
#pragma once
#include <functional>
#include <string>

#include "ebpf/program.hpp"
#include "filters.hpp"
#include "ebpf/emit.hpp"
#include "prove/prove.hpp"

namespace weir::proofs {

/// Hears of every proof: what was to be shown (`pred to ir`), and what came of it.
using Listener = std::function<void(const std::string& stage, const prove::Answer& answer)>;

/// What the filter means, its graph, and the program of the optimized graph.
struct Compiled {
  pred::Filter meaning;
  ir::Program graph, optimized;
  std::optional<cbpf::Program> code, optimized_code;  ///< nothing: too large
};
Result<Compiled> compile(const Subject& subject);

/// pred to ir exactly, the gathering of lists and each pass as a refinement, cBPF as its graph exactly on both machines, and from
/// the filter's meaning to its optimized program as a refinement. The error is that of a filter that does not compile.
Result<void> prove_stages(const Subject& subject, double seconds, const Listener& listener);

/// A program as the graphs that it can be lifted to, exactly, and as the program that is made of the usual one, which refines it:
/// each on both machines, as far as the program is for them. `whose`: how it is called to the listener.
void prove_lifted(const std::string& whose, const cbpf::Program& program, prove::Question question, const Listener& listener);

/// How a program is made: as it is without lists in maps; with every list in a map; with every list of numbers in a table; or
/// with functions that load, as those of long filters are.
enum class EbpfForm : std::uint8_t { Plain, Maps, Tables, Functions };
ebpf::EmitOptions options_of(EbpfForm form, ebpf::Hook hook);

/// The optimized graph as a program for each of some hooks, exactly, and from the filter's meaning to that as a refinement:
/// wherever the packet lies, in one piece or not. Tracing programs see linear data alone, and are left out; so are programs that
/// are no different in the plain form.
Result<void> prove_ebpf(const Subject& subject, EbpfForm form, double seconds, const Listener& listener);

/// The hooks whose programs are proven.
inline constexpr ebpf::Hook proven_hooks[] = {ebpf::Hook::Socket, ebpf::Hook::SocketBtf, ebpf::Hook::Xdp, ebpf::Hook::TcIngress,
                                              ebpf::Hook::Cgroup};

/// A number that depends on the filter's optimized program alone, or on those for all proven hooks; for one machine and one
/// build's library.
std::size_t digest(const Subject& subject);
std::size_t digest(const Subject& subject, EbpfForm form);

/// Our optimized program as a refinement of libpcap's, on the machine that can run both; Undecided when one of them has no program.
prove::Answer prove_against_libpcap(const Subject& subject, const cbpf::Program& libpcaps, double seconds);

/// The machines that can run programs for a setting: libpcap's knows little metadata.
prove::Question question_for(const oracle::Setting& setting, prove::Agreement agreement, double seconds);

}  // namespace weir::proofs
