// Which programs are tried, with a kernel that refuses some.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "attach/load.hpp"
#include "weir/make_best.hpp"
#include "weir/stages.hpp"
#include "weir/weir.hpp"

using namespace weir;
using EbpfHook = ebpf::Hook;

namespace {

/// Too many for short jumps, too few for a map where the kernel knows long ones.
ir::Program many_networks() {
  std::string text = "net 10.0.0.0/24";
  for (int i = 1; i < 8000; ++i)
    text += " or net " + std::to_string(11 + i / 4096) + "." + std::to_string(i / 16 % 256) + "." +
            std::to_string(i % 16 * 16 + i % 2) + ".0/24";
  const auto filter = compile(text);
  REQUIRE(filter);
  return filter->stages().ir;
}

/// Loads nothing. It says how many programs there were.
struct Kernel {
  bool knows_far_jumps = false, takes_maps = true, gives_pointers = false;
  std::vector<ebpf::Program> tried = {};

  Result<std::size_t> load(const ebpf::Program& p) {
    tried.push_back(p);
    if (!knows_far_jumps && has_far_jumps(p)) return std::unexpected(attach::refused_program(EINVAL, "unknown opcode 06\n", p, ""));
    if (!takes_maps && !p.maps.empty()) return std::unexpected(attach::refused_program(ENOMEM, "1: (95) exit\nno maps\n", p, ""));
    if (!gives_pointers && p.hook == EbpfHook::SocketBtf)
      return std::unexpected(
          attach::refused_program(EINVAL, "6: (71) r1 = *(u8 *)(r0 +0)\nR0 invalid mem access 'scalar'\n", p, ""));
    return tried.size();
  }
  auto loader() {
    return [this](const ebpf::Program& p) { return load(p); };
  }
};

}  // namespace

TEST_CASE("a kernel that does not know far jumps gets the lists in maps") {
  const ir::Program graph = many_networks();
  for (const EbpfHook hook : {EbpfHook::Socket, EbpfHook::Xdp, EbpfHook::TcIngress}) {
    CAPTURE(ebpf::to_string(hook));
    Kernel old, recent{.knows_far_jumps = true};
    const auto with_maps = make_best(graph, {.hook = hook}, hook != EbpfHook::Socket, false, old.loader());
    REQUIRE(with_maps);
    CHECK(with_maps->loaded == 3);  // behind one for kernels that hide constants
    CHECK_FALSE(has_far_jumps(with_maps->program));
    CHECK(std::ranges::any_of(with_maps->program.maps, [](const ebpf::Map& m) { return m.kind == ebpf::MapKind::LpmTrie; }));
    CHECK(with_maps->program == old.tried.back());
    const auto without = make_best(graph, {.hook = hook}, false, false, recent.loader());
    REQUIRE(without);
    CHECK(without->loaded == 1);
    CHECK(has_far_jumps(without->program));
  }
}

TEST_CASE("where neither loads, the error is that of the first") {
  Kernel kernel{.takes_maps = false};
  const auto made = make_best(many_networks(), {.hook = EbpfHook::Xdp}, false, false, kernel.loader());
  REQUIRE_FALSE(made);
  CHECK(made.error().message.contains("jumps farther than"));
  CHECK(kernel.tried.size() == 3);
}

TEST_CASE("a kernel that hides constants gets jumps that reach over what it makes of the program") {
  std::string text = "(src host 10.0.0.1 and dst port 1)";
  for (std::uint32_t i = 2; i < 800; ++i) {
    const std::uint32_t k = i * 2654435761u;
    text += " or (src host 10." + std::to_string(k >> 24) + "." + std::to_string(k >> 16 & 255) + ".1 and dst port " +
            std::to_string(k & 0xffff) + ")";
  }
  const auto filter = compile(text);
  REQUIRE(filter);
  std::vector<ebpf::Program> tried;
  const auto load = [&](const ebpf::Program& p) -> Result<int> {
    tried.push_back(p);
    if (tried.size() == 1) return fail(Code::Unsupported, {}, "the kernel cannot translate the program to machine code");
    return 1;
  };
  CHECK(make_best(filter->stages().ir, {}, false, false, load));
  REQUIRE(tried.size() == 2);
  const auto longest_short = [](const ebpf::Program& p) {
    int longest = 0;
    for (const auto& i : p.instructions)
      if ((i.code & 7) == ebpf::op::JMP || ((i.code & 7) == ebpf::op::JMP32 && i.code != (ebpf::op::JMP32 | ebpf::op::JA)))
        longest = std::max(longest, +i.offset);
    return longest;
  };
  CHECK(longest_short(tried[0]) > 32767 / 7 / 3);
  CHECK(longest_short(tried[1]) < 32767 / 3);
  CHECK(tried[1].instructions.size() > tried[0].instructions.size());
}

namespace {

/// Long enough for functions.
ir::Program many_bytes() {
  ir::Program graph = *ir::read("n0: return 1\nn1: return 0\nroot n0\n");
  for (std::uint32_t i = 0; i <= long_graph; ++i)
    graph.root = graph.guard(
        1, ir::no_value, i,
        graph.test(Relation::Equal, graph.load(1, ir::no_value, i), graph.constant(i % 256), graph.root, graph.ret(0u)));
  return graph;
}

bool calls(const ebpf::Program& p) {
  return std::ranges::any_of(
      p.instructions, [](const auto& i) { return i.code == (ebpf::op::JMP | ebpf::op::CALL) && i.src == ebpf::call_local; });
}

}  // namespace

TEST_CASE("a long program has no functions where the kernel cannot translate calls of them") {
  const ir::Program graph = many_bytes();
  for (const EbpfHook hook : {EbpfHook::Socket, EbpfHook::Xdp, EbpfHook::TcIngress}) {
    CAPTURE(ebpf::to_string(hook));
    std::vector<bool> tried;
    const auto load = [&](const ebpf::Program& p) -> Result<int> {
      tried.push_back(calls(p));
      if (calls(p)) return fail(Code::Unsupported, {}, "the kernel cannot translate the program to machine code");
      return 1;
    };
    CHECK(make_best(graph, {.hook = hook}, false, false, load));
    CHECK(tried.front());
    CHECK_FALSE(tried.back());
  }
}

TEST_CASE("a socket's long program has no functions where they are not permitted") {
  const ir::Program graph = many_bytes();
  const auto load = [&](const ebpf::Program& p) -> Result<int> {
    if (calls(p)) return fail(Code::System, {}, "no permission to load the program");
    return 1;
  };
  CHECK(make_best(graph, {.hook = EbpfHook::Socket}, false, false, load));
  CHECK_FALSE(make_best(graph, {.hook = EbpfHook::TcIngress}, false, false, load));
}

TEST_CASE("sockets get pointers where the kernel gives any, and the verifier takes the program") {
  const auto filter = compile("tcp port 80");
  const ir::Program& graph = filter->stages().ir;
  const auto hooks = [&](bool has_pointers, bool takes) {
    Kernel kernel{.gives_pointers = takes};
    CHECK(make_best(graph, {}, false, has_pointers, kernel.loader()));
    std::vector<EbpfHook> all;
    for (const auto& p : kernel.tried) all.push_back(p.hook);
    return all;
  };
  CHECK(hooks(true, true) == std::vector{EbpfHook::SocketBtf});
  CHECK(hooks(true, false) == std::vector{EbpfHook::SocketBtf, EbpfHook::Socket});
  CHECK(hooks(false, true) == std::vector{EbpfHook::Socket});
}
