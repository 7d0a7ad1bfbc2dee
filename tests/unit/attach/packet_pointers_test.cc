// How the loads of data and data_end are opened, without the kernel.
#include <doctest/doctest.h>

#include <algorithm>

#include "attach/packet_pointers.hpp"

using namespace weir;
using attach::KernelFunction;
using ebpf::Hook, ebpf::KernelField;

namespace {

ebpf::Program program(const char* text, Hook hook = Hook::SocketBtf) {
  auto p = ebpf::read_text(text);
  REQUIRE(p);
  p->hook = hook;
  return *p;
}

constexpr const char* looking =
    "r6 = r1\nr7 = *(u32 *)(r6 +76)\nr8 = *(u32 *)(r6 +80)\nr1 = r7\nr1 += 14\nif r1 > r8 goto pc+2\nr0 = *(u16 *)(r7 "
    "+12)\nexit\nr0 = 0\nexit";

}  // namespace

TEST_CASE("data and data_end of a socket are read from its sk_buff") {
  auto p = program(looking);
  const auto before = p;
  p.fields.push_back({6, KernelField::SkbProtocol});
  const auto functions = attach::open_packet_pointers(p);
  REQUIRE(functions);
  CHECK(*functions == std::vector<attach::FunctionUse>{{1, KernelFunction::CastToKernelContext}});
  CHECK(p.fields ==
        std::vector<ebpf::FieldUse>{
            {10, KernelField::SkbProtocol}, {2, KernelField::SkbLen}, {3, KernelField::SkbDataLen}, {5, KernelField::SkbData}});
  CHECK(p.instructions.size() == before.instructions.size() + 4);
  CHECK(p.spans.size() == p.instructions.size());
  CHECK(std::equal(before.instructions.begin() + 3, before.instructions.end(), p.instructions.begin() + 7, p.instructions.end()));
  for (const auto& use : *functions)
    CHECK((p.instructions[use.instruction].code == (ebpf::op::JMP | ebpf::op::CALL) && p.instructions[use.instruction].src == 2));
}

TEST_CASE("the length of the linear part alone") {
  auto p = program(
      "r6 = r1\nr0 = *(u32 *)(r6 +76)\nr5 = *(u32 *)(r6 +80)\nr5 -= r0\nif r5 < 14 goto pc+1\nr1 = *(u16 *)(r0 +12)\nr0 = "
      "0\nexit");
  const auto functions = attach::open_packet_pointers(p);
  REQUIRE(functions);
  std::string begin;
  for (std::size_t i = 0; i < 6; ++i) begin += to_string(p.instructions[i]) + '\n';
  CHECK_EQ(begin, "r6 = r1\n.8byte 0x2085\nr5 = *(u32 *)(r0 +0)\nr1 = *(u32 *)(r0 +0)\nr5 -= r1\nr0 = *(u64 *)(r0 +0)\n");
  CHECK_EQ(to_string(p.instructions[6]), "if r5 < 0xe goto pc+1");
}

TEST_CASE("the context is put back where something else is in r1") {
  auto p = program("r7 = r1\nr1 = r10\nr4 = *(u32 *)(r7 +76)\nr5 = *(u32 *)(r7 +80)\nr0 = 0\nexit");
  REQUIRE(attach::open_packet_pointers(p));
  CHECK_EQ(to_string(p.instructions[2]), "r1 = r7");
}

TEST_CASE("what does not look at the packet, or not at a socket's, stays as it is") {
  for (auto p : {program("r0 = 7\nexit"), program(looking, Hook::TcIngress)}) {
    const auto before = p;
    const auto functions = attach::open_packet_pointers(p);
    REQUIRE(functions);
    CHECK(functions->empty());
    CHECK(p == before);
  }
}

TEST_CASE("contexts in registers that calls do not keep, ends where the sk_buff is, and what stands behind jumps, are refused") {
  for (const char* text : {"r2 = *(u32 *)(r1 +76)\nr3 = *(u32 *)(r1 +80)\nr0 = 0\nexit",
                           "r6 = r1\nr2 = *(u32 *)(r6 +76)\nr0 = *(u32 *)(r6 +80)\nr0 = 0\nexit",
                           "r6 = r1\nr2 = *(u32 *)(r6 +76)\nr1 = *(u32 *)(r6 +80)\nr0 = 0\nexit",
                           "r6 = r1\nif r6 == 0 goto pc+2\nr7 = *(u32 *)(r6 +76)\nr8 = *(u32 *)(r6 +80)\nr0 = 0\nexit"}) {
    auto p = program(text);
    const auto functions = attach::open_packet_pointers(p);
    REQUIRE_FALSE(functions);
    CHECK(functions.error().code == Code::Unsupported);
  }
}
