// The checker: what it takes, what it refuses and why. Programs are written as the kernel prints them. That what it takes runs
// without a fault is tested in tests/unit/vm/checked_test.cc, with random programs.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ebpf/decode.hpp"

namespace weir::ebpf {
namespace {

const Map hash{"set", MapKind::Hash, 4, 8, 16, {}, {}};

Program program(std::string_view text, Hook hook, std::vector<Map> maps = {hash}) {
  auto p = read_text(text);
  REQUIRE_MESSAGE(p.has_value(), (p ? "" : p.error().message));
  p->hook = hook;
  p->maps = std::move(maps);
  return *p;
}

std::string refusal(std::string_view text, Hook hook = Hook::Socket) {
  const auto problem = check(program(text, hook));
  return problem ? problem->message : "";
}

void accepted(std::string_view text, Hook hook = Hook::Socket) {
  INFO(text);
  CHECK(refusal(text, hook) == "");
}

/// The message names the instruction, and has these words.
void refused(std::string_view text, std::string_view words, Hook hook = Hook::Socket) {
  INFO(text);
  const std::string message = refusal(text, hook);
  CHECK_MESSAGE(message.contains(words), message);
}

TEST_CASE("registers") {
  accepted("r0 = 0\nexit");
  refused("exit", "instruction 0 (exit) reads r0, which nothing was written to");
  refused("r0 = r2\nexit", "reads r2");
  refused("r0 = r1\nexit", "ends with an address");
  refused("r0 = r10\nr0 *= 2\nexit", "computes with an address otherwise");
  refused("w0 = w1\nexit", "moves a part of r1");
  refused("r10 = 0\nr0 = 0\nexit", "writes to r10");
  refused("r0 = 0\nif r0 == 1 goto pc+1\nr2 = 5\nr0 = r2\nexit", "", Hook::Socket);
  refused("r0 = *(u32 *)(r1 +0)\nif r0 == 1 goto pc+1\nr2 = 5\nr0 = r2\nexit", "reads r2, which nothing was written to on some way here");
  accepted("r0 = 0\nif r0 == 1 goto pc+1\nr2 = 5\nr0 = r2\nexit");  // 0 is never 1
}

TEST_CASE("byte swaps read one register") {
  accepted("r3 = *(u32 *)(r1 +0)\nr3 = be16 r3\nr0 = r3\nexit");
  accepted("r3 = *(u32 *)(r1 +0)\nr3 = bswap32 r3\nr3 = -r3\nr0 = r3\nexit");
  refused("r3 = be16 r3\nr0 = 0\nexit", "reads r3");
  refused("r1 = be64 r1\nr0 = 0\nexit", "computes with an address");
}

TEST_CASE("what the kernel keeps no bounds of has none here, and XDP's context is read whole") {
  refused("r2 = *(u8 *)(r1 +0)\nr0 = *(u32 *)(r1 +4)\nr0 &= 1\nr0 /= 1\nexit", "0 or 1, which is all that a control group takes",
          Hook::Cgroup);
  accepted("r0 = *(u32 *)(r1 +4)\nr0 &= 1\nexit", Hook::Cgroup);
  accepted("r0 = *(u16 *)(r1 +4)\nexit", Hook::TcIngress);
  accepted("r0 = *(u32 *)(r1 +12)\nexit", Hook::Xdp);
  refused("r0 = *(u16 *)(r1 +12)\nexit", "", Hook::Xdp);
}

TEST_CASE("the form of programs") {
  refused("r0 = 0", "is the last of its function");
  refused("goto pc+5\nexit", "goes to instruction 6, but the program has 2");
  refused("r0 = 0\ngoto pc+1\nr0 = 1\nexit", "instruction 2 (r0 = 1) is never reached");
  refused("r0 = 0\nif r0 == 0 goto pc+1\nr1 = 5 ll\nexit", "goes into the middle of the constant at 2");
  refused("r0 = 1\nr0 /= 0\nexit", "divides by 0");
  refused("r0 = 1\nw0 <<= 32\nexit", "shifts a number of 32 bits by 32");
  refused("r1 = map[idx:1]\nr0 = 0\nexit", "refers to map 1, but the program has 1");
  refused("call unknown#9999\nexit", "calls a function that is not known here");
  refused("call bpf_xdp_get_buff_len\nexit", "programs at socket do not have");
  refused(".8byte 0x18\nexit", "lacks its second half");
  refused(".8byte 0xef\nexit", "is no instruction");
  CHECK(check(Program{})->message == "the program has no instructions");
}

TEST_CASE("the stack") {
  accepted("*(u64 *)(r10 -8) = 1\nr0 = *(u64 *)(r10 -8)\nexit");
  refused("r0 = *(u64 *)(r10 -8)\nexit", "nothing was written to");
  refused("*(u32 *)(r10 -8) = 1\nr0 = *(u64 *)(r10 -8)\nexit", "nothing was written to");
  refused("*(u8 *)(r10 -513) = 1\nr0 = 0\nexit", "reaches bytes -513 to -513 of the stack");
  refused("*(u32 *)(r10 -2) = 1\nr0 = 0\nexit", "reaches bytes -2 to 1");
  refused("*(u32 *)(r10 -6) = 1\nr0 = 0\nexit", "no multiple");
  accepted("*(u64 *)(r10 -8) = r1\nr2 = *(u64 *)(r10 -8)\nr0 = *(u32 *)(r2 +0)\nexit");  // an address comes back as one
  refused("*(u64 *)(r10 -8) = r1\nr0 = *(u32 *)(r10 -8)\nexit", "reads a part of an address");
  refused("*(u32 *)(r10 -8) = r1\nr0 = 0\nexit", "stores a part of an address");
  refused("*(u64 *)(r10 -8) = r1\n*(u8 *)(r10 -8) = 1\nr2 = *(u64 *)(r10 -8)\nr0 = *(u32 *)(r2 +0)\nexit", "no address of readable memory");
}

TEST_CASE("contexts by hook") {
  accepted("r0 = *(u32 *)(r1 +0)\nexit");
  accepted("r0 = *(u16 *)(r1 +16)\nexit");
  refused("r0 = *(u32 *)(r1 +76)\nexit", "reads 4 bytes at 76 of the context, which programs at socket do not have");
  refused("r0 = *(u32 *)(r1 +2)\nexit", "reads 4 bytes at 2");
  refused("r0 = *(u64 *)(r1 +0)\nexit", "reads 8 bytes at 0");
  refused("r1 += 4\nr0 = *(u32 *)(r1 +0)\nexit", "through an address that was moved");
  refused("*(u32 *)(r1 +8) = 1\nr0 = 0\nexit", "may not");
  accepted("*(u32 *)(r1 +8) = 1\nr0 = 0\nexit", Hook::TcIngress);
  accepted("*(u32 *)(r1 +48) = 1\nr0 = 0\nexit");
  refused("r0 = 2\nexit", "all that a control group takes", Hook::Cgroup);
  accepted("r0 = 1\nexit", Hook::Cgroup);
}

constexpr std::string_view packet = "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr0 = 0\n";

TEST_CASE("packet pointers") {
  const auto with = [](std::string_view text) { return std::string(packet) + std::string(text); };
  accepted(with("r4 = r2\nr4 += 14\nif r4 > r3 goto out\nr0 = *(u16 *)(r2 +12)\nout: exit"), Hook::Xdp);
  accepted(with("r4 = r2\nr4 += 14\nif r3 < r4 goto out\nr0 = *(u16 *)(r2 +12)\nout: exit"), Hook::Xdp);
  accepted(with("r4 = r2\nr4 += 14\nif r4 <= r3 goto in\nexit\nin: r0 = *(u8 *)(r2 +13)\nexit"), Hook::Xdp);
  accepted(with("r4 = r2\nr4 += 13\nif r4 < r3 goto in\nexit\nin: r0 = *(u8 *)(r2 +13)\nexit"), Hook::Xdp);  // before the end: one more
  refused(with("r4 = r2\nr4 += 13\nif r4 <= r3 goto in\nexit\nin: r0 = *(u8 *)(r2 +13)\nexit"),
          "bytes 13 to 13 of the packet, of which 13", Hook::Xdp);
  refused(with("r4 = r2\nr4 += 14\nif r4 > r3 goto in\nexit\nin: r0 = *(u8 *)(r2 +13)\nexit"), "of which 0", Hook::Xdp);
  refused(with("r0 = *(u8 *)(r2 +0)\nexit"), "of which 0", Hook::Xdp);
  refused(with("r4 = r2\nr4 += 14\nif r4 > r3 goto out\nr0 = *(u8 *)(r2 -1)\nout: exit"), "bytes -1 to -1", Hook::Xdp);
  accepted(with("r4 = r2\nr4 += 14\nif r4 > r3 goto out\n*(u8 *)(r2 +0) = 1\nout: exit"), Hook::Xdp);
  refused(
      "r2 = *(u32 *)(r1 +76)\nr3 = *(u32 *)(r1 +80)\nr0 = 0\nr4 = r2\nr4 += 14\nif r4 > r3 goto out\n*(u8 *)(r2 +0) = 1\nout: "
      "exit",
      "does not permit", Hook::Cgroup);
  refused(with("r3 += 1\nexit"), "computes with an address that stays", Hook::Xdp);
  accepted(with("r3 -= r2\nr0 = r3\nexit"), Hook::Xdp);
}

TEST_CASE("the length of a socket's linear part") {
  const auto with = [](std::string_view text) {
    return "r2 = *(u32 *)(r1 +76)\nr3 = *(u32 *)(r1 +80)\nr3 -= r2\nr0 = 0\n" + std::string(text);
  };
  accepted(with("if r3 < 14 goto out\nr0 = *(u16 *)(r2 +12)\nout: exit"), Hook::SocketBtf);
  accepted(with("if r3 > 13 goto in\nexit\nin: r0 = *(u8 *)(r2 +13)\nexit"), Hook::SocketBtf);
  refused(with("if r3 < 13 goto out\nr0 = *(u16 *)(r2 +12)\nout: exit"), "bytes 12 to 13 of the packet, of which 13", Hook::SocketBtf);
  refused(with("if r3 > 14 goto out\nr0 = *(u16 *)(r2 +12)\nout: exit"), "of which 0", Hook::SocketBtf);
  refused(with("r3 += 1\nif r3 < 14 goto out\nr0 = *(u16 *)(r2 +12)\nout: exit"), "of which 0", Hook::SocketBtf);
  refused(with("if r3 < 14 goto out\nr0 = *(u16 *)(r2 +12)\nout: exit"), "of which 0",
          Hook::TcIngress);  // there the kernel's verifier is not content
  accepted(with("r4 = r2\nr4 += r3\nr5 = r2\nr5 += 20\nif r5 > r4 goto out\nr0 = *(u8 *)(r2 +19)\nout: exit"), Hook::SocketBtf);
  refused(with("r4 = r2\nr4 += 1\nr4 += r3\nr5 = r2\nr5 += 20\nif r5 > r4 goto out\nr0 = *(u8 *)(r2 +19)\nout: exit"), "", Hook::SocketBtf);
}

TEST_CASE("packet pointers at offsets that the packet says") {
  const std::string header =
      std::string(packet) + "r4 = r2\nr4 += 34\nif r4 > r3 goto out\nr5 = *(u8 *)(r2 +14)\nw5 &= 15\nw5 <<= 2\nr2 += r5\n";
  accepted(header + "r4 = r2\nr4 += 18\nif r4 > r3 goto out\nr0 = *(u16 *)(r2 +16)\nout: exit", Hook::Xdp);
  refused(header + "r0 = *(u16 *)(r2 +16)\nout: exit", "of which 0", Hook::Xdp);  // the new offset has to be compared anew
  refused(std::string(packet) +
              "r5 = *(u32 *)(r1 +12)\nr2 += r5\nr4 = r2\nr4 += 4\nif r4 > r3 goto out\nr0 = *(u8 *)(r2 +0)\nout: exit",
          "of which 0", Hook::Xdp);
  refused(
      std::string(packet) +
          "r5 = *(u32 *)(r1 +12)\nr5 &= 0x1ffff\nr2 += r5\nr4 = r2\nr4 += 4\nif r4 > r3 goto out\nr0 = *(u8 *)(r2 +0)\nout: exit",
      "of which 0", Hook::Xdp);
  accepted(std::string(packet) +
               "r5 = *(u32 *)(r1 +12)\nif r5 > 0xffff goto out\nr2 += r5\nr4 = r2\nr4 += 4\nif r4 > r3 goto out\nr0 = *(u8 *)(r2 "
               "+0)\nout: exit",
           Hook::Xdp);
}

TEST_CASE("pulling data moves the packet") {
  constexpr std::string_view text = "r6 = r1\nr7 = *(u32 *)(r1 +76)\nr8 = *(u32 *)(r1 +80)\nr2 = 34\ncall bpf_skb_pull_data\n";
  refused(std::string(text) + "r0 = 0\nr7 += 1\nexit", "reads r7", Hook::TcIngress);
  accepted(std::string(text) +
               "r0 = 0\nr7 = *(u32 *)(r6 +76)\nr8 = *(u32 *)(r6 +80)\nr1 = r7\nr1 += 1\nif r1 > r8 goto out\nr0 = *(u8 *)(r7 "
               "+0)\nout: exit",
           Hook::TcIngress);
}

TEST_CASE("helpers") {
  accepted("r2 = 0\nr3 = r10\nr3 += -4\nr4 = 4\ncall bpf_skb_load_bytes\nr0 = *(u32 *)(r10 -4)\nexit");
  refused("r2 = 0\nr3 = r10\nr3 += -4\nr4 = 8\ncall bpf_skb_load_bytes\nexit", "reaches bytes -4 to 3");
  refused("r2 = 0\nr3 = r10\nr3 += -4\nr4 = 0\ncall bpf_skb_load_bytes\nexit", "a size that may be 0");
  refused("r2 = 0\nr3 = r10\nr3 += -4\nr4 = 4\nr1 = 0\ncall bpf_skb_load_bytes\nexit", "wants the context in r1");
  refused("r2 = 0\nr3 = 5\nr4 = 4\ncall bpf_skb_load_bytes\nexit", "no memory where it wants to write");
  refused("r3 = r10\nr3 += -4\nr4 = 4\ncall bpf_skb_load_bytes\nexit", "reads r2");
  refused("r2 = 0\nr3 = r10\nr3 += -4\nr4 = 4\ncall bpf_skb_load_bytes\nr0 = r2\nexit", "reads r2");
}

constexpr std::string_view lookup = "*(u32 *)(r10 -4) = 1\nr1 = map[idx:0]\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\n";

TEST_CASE("maps") {
  const auto with = [](std::string_view text) { return std::string(lookup) + std::string(text); };
  accepted(with("if r0 == 0 goto pc+1\nr0 = *(u64 *)(r0 +0)\nexit"));
  refused(with("r0 = *(u64 *)(r0 +0)\nexit"), "may be null");
  refused(with("if r0 != 0 goto pc+1\nr0 = *(u64 *)(r0 +0)\nexit"), "no address of readable memory");
  refused(with("if r0 == 0 goto pc+1\nr0 = *(u64 *)(r0 +1)\nexit"), "outside a value of map 'set', which has 8");
  accepted(with("r6 = r0\nif r0 == 0 goto pc+2\nr1 = 1\nlock *(u64 *)(r6 +0) += r1\nr0 = 0\nexit"));  // copies are null together
  refused(with("if r0 == 0 goto pc+2\nr1 = 1\nlock *(u32 *)(r0 +2) += r1\nr0 = 0\nexit"), "no multiple");
  refused(with("if r0 == 0 goto pc+1\n*(u64 *)(r0 +0) = r10\nr0 = 0\nexit"), "stores an address where others see it");
  refused("r1 = map[idx:0]\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nr0 = 0\nexit", "nothing was written to");
  refused("r1 = map[idx:0]\nr0 = *(u64 *)(r1 +0)\nexit", "no address of readable memory");
}

TEST_CASE("loads through the socket buffer") {
  accepted("r6 = r1\nr0 = *(u16 *)skb[12]\nr0 = *(u8 *)skb[r0 + 2]\nexit");
  refused("r0 = *(u16 *)skb[12]\nexit", "reads r6");
  refused("r6 = r1\nr0 = *(u16 *)skb[12]\nr0 = *(u32 *)(r1 +0)\nexit", "reads r1");
  refused("r6 = r1\nr0 = *(u16 *)skb[12]\nexit", "do not have", Hook::Cgroup);
}

TEST_CASE("functions") {
  accepted("r1 = 5\ncall f\nexit\nf: r0 = r1\nexit");
  accepted("r1 = r10\nr1 += -8\ncall f\nr0 = *(u64 *)(r10 -8)\nexit\nf: *(u64 *)(r1 +0) = 1\nr0 = 0\nexit");
  refused("r6 = 1\ncall f\nexit\nf: r0 = r6\nexit", "reads r6");
  refused("call f\nexit\nf: r0 = r10\nexit", "an address of the stack that ends here");
  refused("call f\nexit\nf: call f\nexit", "calls deeper than 8 functions");
  refused("*(u64 *)(r10 -512) = 1\ncall f\nexit\nf: *(u64 *)(r10 -8) = 1\nr0 = 0\nexit", "needs 544 bytes of stack");
  refused("call f\nr0 = 0\nexit\nf: r0 = 0\ngoto pc-3", "jumps into another function");
}

/// Each test doubles the ways, on which r7 is another number; a function is gone through for what many of them have in common.
TEST_CASE("functions where many ways meet") {
  std::string text = "r6 = *(u32 *)(r1 +0)\nr7 = 0\n";
  for (int bit = 0; bit < 30; ++bit) text += fmt::format("if r6 & {0} goto skip{1}\nr7 += {0}\nskip{1}: r1 = r6\ncall f\n", 1 << bit, bit);
  accepted(text + "r0 = r7\nexit\nf: r0 = r1\nif r1 != 0 goto end\nr0 = 1\nend: exit");
  refused(text + "r0 = r7\nexit\nf: r0 = r2\nexit", "reads r2");
}

TEST_CASE("loops") {
  accepted("r0 = 0\nagain: r0 += 1\nif r0 < 100 goto again\nexit");
  refused("r0 = 0\nagain: goto again\nexit", "never reached");
  refused("r0 = *(u32 *)(r1 +0)\nagain: if r0 == 0 goto again\nexit", "the loop has no end");
  refused("r0 = *(u32 *)(r1 +0)\nagain: r0 += 1\nif r0 != 5 goto again\nexit", "");
  accepted("r2 = 0\nr0 = 0\nagain: r3 = r10\nr3 -= 8\n*(u64 *)(r3 +0) = r2\nr2 += 1\nif r2 s<= 9 goto again\nexit");
}

TEST_CASE("tracing") {
  auto raw = program(
      "r3 = *(u64 *)(r1 +0)\nr3 += 0\nr1 = r10\nr1 += -8\nr2 = 8\ncall bpf_probe_read_kernel\nr0 = *(u64 *)(r10 -8)\nexit",
      Hook::Tracing);
  raw.fields = {{1, KernelField::SkbData}};
  CHECK_FALSE(check(raw));
  auto typed = program("r1 = *(u64 *)(r1 +8)\nr2 = *(u64 *)(r1 +0)\nr0 = *(u32 *)(r2 +0)\nexit", Hook::TracingBtf);
  CHECK(check(typed)->message.contains("no field known by name"));
  typed.fields = {{1, KernelField::SkbDevice}, {2, KernelField::DeviceIndex}};
  CHECK_FALSE(check(typed));
  refused("r1 = *(u64 *)(r1 +96)\nr0 = 0\nexit", "arguments", Hook::Tracing);
}

}  // namespace
}  // namespace weir::ebpf
