// What errors of the kernel are made to say, without the kernel.
#include <doctest/doctest.h>

#include <cerrno>

#include "attach/load.hpp"
#include "attach/rights.hpp"

using namespace weir;
using attach::Rights;
using ebpf::Hook;

TEST_CASE("the end of the verifier's log says which instruction it minds, and why") {
  const auto why = attach::last_refusal(
      "0: R1=ctx() R10=fp0\n"
      "0: (61) r2 = *(u32 *)(r1 +76)         ; R1=ctx() R2=pkt(r=0)\n"
      "; tcp port 80\n"
      "1: (71) r3 = *(u8 *)(r2 +12)\n"
      "invalid access to packet, off=12 size=1, R2(id=0,off=12,r=0)\n"
      "R2 offset is outside of the packet\n"
      "processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n");
  CHECK(why.instruction == 1);
  CHECK(why.words == "invalid access to packet, off=12 size=1, R2(id=0,off=12,r=0)");
}

TEST_CASE("words before the last instruction are about others") {
  const auto why = attach::last_refusal("7: (85) call bpf_map_lookup_elem#1\nsome remark\n8: (95) exit\nR0 !read_ok\n");
  CHECK(why.instruction == 8);
  CHECK(why.words == "R0 !read_ok");
}

TEST_CASE("limits of the verifier are told from what it minds") {
  CHECK(attach::last_refusal("9: (95) exit\nBPF program is too large. Processed 1000001 insn\n").is_too_much());
  CHECK(attach::last_refusal("9: (95) exit\nThe sequence of 8193 jumps is too complex.\n").is_too_much());
  CHECK(attach::last_refusal("9: (95) exit\ncombined stack size of 2 calls is 528. Too large\n").is_too_much());
  CHECK_FALSE(attach::last_refusal("9: (95) exit\nR0 !read_ok\n").is_too_much());
}

TEST_CASE("an empty log says nothing") {
  CHECK(attach::last_refusal("").words.empty());
  CHECK(attach::last_refusal("").instruction == 0);
}

TEST_CASE("a kernel that is too old is called so, and no mistake of weir") {
  ebpf::Program p;
  p.hook = Hook::Xdp;
  p.instructions = {{.code = ebpf::op::JMP32 | ebpf::op::JA, .imm = 40000}, {.code = ebpf::op::JMP | ebpf::op::EXIT}};
  CHECK(attach::refused_program(EINVAL, "", p, "").message == "the kernel takes no XDP programs for packets in several pieces");
  CHECK(attach::refused_program(EINVAL, "", p, "").hint.contains("Linux 5.18"));
  for (const char* log :
       {"unknown opcode 06\n", "0: (06) BUG_06\nunknown opcode 06\n", "0: (06) gotol pc+40000\nBPF_JA uses reserved fields\n"}) {
    CAPTURE(log);
    const auto far = attach::refused_program(EINVAL, log, p, "");
    CHECK(far.code == Code::Unsupported);
    CHECK(far.message.contains("jumps farther than 32767 instructions"));
    CHECK(far.hint.contains("Linux 6.6"));
  }
  CHECK(attach::refused_program(EACCES, "1: (95) exit\nR0 !read_ok\n", p, "").hint.contains("a mistake of weir"));
  CHECK(attach::refused_program(EINVAL, "1: (95) exit\nR0 !read_ok\n", p, "").hint.contains("a mistake of weir"));
  p.hook = Hook::TcIngress;
  p.instructions.erase(p.instructions.begin());
  p.instructions.insert(p.instructions.begin(), {{.code = ebpf::op::ALU | ebpf::op::MOV},
                                                 {.code = ebpf::op::ALU64 | ebpf::op::END, .dst = 1, .imm = 16}});
  CHECK(attach::refused_program(EINVAL, "", p, "").message == "the kernel does not know programs for tc-ingress");
  CHECK(attach::refused_program(EINVAL, "unknown opcode d7\n", p, "")
            .message.contains("an instruction of the program (instruction 1 (r1 = bswap16 r1)): unknown opcode d7"));
}

TEST_CASE("a kernel that gives no pointers into the packets of sockets is called so") {
  ebpf::Program p;
  p.hook = Hook::SocketBtf;
  p.instructions = {{.code = ebpf::op::JMP | ebpf::op::CALL, .src = 2}, {.code = ebpf::op::JMP | ebpf::op::EXIT}};
  for (const char* log : {"6: (71) r1 = *(u8 *)(r0 +0)\nR0 invalid mem access 'scalar'\n", "JIT does not support calling kernel function\n",
                          "0: (85) call bpf_cast_to_kern_ctx#70\ncalling kernel function bpf_cast_to_kern_ctx is not allowed\n"}) {
    CAPTURE(log);
    const auto said = attach::refused_program(EINVAL, log, p, "");
    CHECK(said.message.contains("no pointers to the packets of sockets"));
    CHECK(said.hint.contains("Linux 6.17"));
  }
  CHECK(attach::refused_program(EINVAL, "1: (95) exit\nR0 !read_ok\n", p, "").hint.contains("a mistake of weir"));
}

TEST_CASE("who may not add numbers to pointers lacks a capability, and weir made no mistake") {
  ebpf::Program p;
  p.hook = Hook::Xdp;
  p.instructions = {{.code = ebpf::op::ALU64 | ebpf::op::ADD | ebpf::op::X}, {.code = ebpf::op::JMP | ebpf::op::EXIT}};
  const auto said = attach::refused_program(
      EACCES,
      "0: (0f) r1 += r0\nR1 has pointer with unsupported alu operation, pointer arithmetic with it prohibited for !root\n", p,
      "");
  CHECK(said.code == Code::System);
  CHECK(said.message == "no permission to load the program: CAP_PERFMON is missing");
}

TEST_CASE("which capability is missing depends on the hook") {
  const auto message = [](Hook hook, const Rights& r, bool maps = false) {
    return attach::not_permitted("load the program", hook, maps, r).message;
  };
  const Rights none = {}, all = {.bpf = true, .net_admin = true, .perfmon = true};
  CHECK(message(Hook::Xdp, none) == "no permission to load the program: CAP_BPF and CAP_NET_ADMIN and CAP_PERFMON are missing");
  CHECK(message(Hook::Xdp, {.bpf = true}) == "no permission to load the program: CAP_NET_ADMIN and CAP_PERFMON are missing");
  CHECK(message(Hook::TracingBtf, {.bpf = true, .net_admin = true}) == "no permission to load the program: CAP_PERFMON is missing");
  CHECK(message(Hook::Socket, none) == "no permission to load the program: CAP_BPF is missing");
  CHECK(message(Hook::Socket, {.everybody = true}, true) == "no permission to load the program: CAP_BPF is missing");
  CHECK(message(Hook::Socket, {.everybody = true}).contains("no capability is missing"));
  CHECK(message(Hook::Cgroup, all).contains("no capability is missing"));
}

TEST_CASE("with all capabilities it may be the namespace, or the locked memory of kernels before 5.11") {
  Rights all = {.bpf = true, .net_admin = true, .perfmon = true, .counts_locked_memory = true, .lockable = 65536};
  const auto locked = attach::not_permitted("load the program", Hook::Xdp, true, all);
  CHECK(locked.message.contains("more memory than the 65536 bytes that this process may lock"));
  CHECK(locked.hint.contains("ulimit -l"));
  all.initial_namespace = false;
  CHECK(attach::not_permitted("load the program", Hook::Xdp, true, all).message.contains("user namespace"));
}
