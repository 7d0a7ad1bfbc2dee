// Any program that cbpf::check accepts runs on any packet without reading or jumping where it may not (the sanitizers look on), takes no
// more steps than it has instructions, and does as a graph, as the program made of that, and as native code, for this CPU and, simulated,
// for AArch64, what it does by itself. Programs are printed and read back.
//
// The bytes of an input: flags (1: codes are taken as they are, and need not exist), how many instructions, 7 bytes each (code, jt, jf, k),
// length on the wire 2, VLAN tag 2; the packet.
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "cbpf/emit.hpp"
#include "cbpf/opcodes.hpp"
#include "expect.hpp"
#include "input.hpp"
#include "lift/lift.hpp"
#include "native/batch.hpp"
#include "native/emit.hpp"
#include "simulate/simulator.hpp"
#include "vm/cbpf.hpp"

namespace weir::fuzz {
namespace {

using cbpf::Instruction;

/// Codes and jumps that can be, so that most programs are accepted.
Instruction tamed(Instruction i, std::size_t left) {
  const cbpf::Row& row = cbpf::instruction_rows[i.code % std::size(cbpf::instruction_rows)];
  i.code = static_cast<std::uint16_t>(row.code);
  switch (row.demand) {
    case cbpf::Demand::Scratch: i.k %= cbpf::scratch_words; break;
    case cbpf::Demand::Shift: i.k %= 32; break;
    case cbpf::Demand::Jump: i.k %= static_cast<std::uint32_t>(left); break;
    case cbpf::Demand::Branch:
      i.jt = static_cast<std::uint8_t>(i.jt % left);
      i.jf = static_cast<std::uint8_t>(i.jf % left);
      break;
    default: break;
  }
  return i;
}

cbpf::Program read_program(Bytes& bytes) {
  const bool raw = (bytes.number(1) & 1) != 0;
  const std::size_t count = bytes.number(1);
  cbpf::Program p;
  for (std::size_t n = 0; n < count; ++n) {
    Instruction i{static_cast<std::uint16_t>(bytes.number(1)), 0, 0, 0};
    i.jt = static_cast<std::uint8_t>(bytes.number(1));
    i.jf = static_cast<std::uint8_t>(bytes.number(1));
    i.k = bytes.number(4);
    p.instructions.push_back(raw ? i : tamed(i, count - n));
  }
  if (!raw) p.instructions.push_back({cbpf::op::RET | cbpf::op::A, 0, 0, 0});
  return p;
}

void check_texts(const cbpf::Program& p) {
  const auto decimal = cbpf::read(cbpf::to_string(p, cbpf::Style::Decimal));
  expect(decimal && *decimal == p, "a program that is not read back as decimal numbers");
  const auto assembly = cbpf::read(cbpf::to_assembly(p, ""));
  expect(assembly.has_value() && assembly->instructions.size() == p.instructions.size(),
         "a program that is not read back as assembly text");
}

/// The packet among others that are cut off earlier: each has the graph's verdict, whatever went before it, and whichever it is in
/// a group of eight.
void run_batch(const ir::Program& graph, const Packet& packet, native::Vectors vectors) {
  const auto code = native::emit_batch<Packet>(graph, vectors);
  if (!code) return;
  constexpr std::size_t count = 19;
  std::vector<Packet> packets(count, packet);
  for (std::size_t i = 0; i < count; ++i)
    if (i >= 8 && i % 2 == 1) packets[i].bytes = packet.bytes.first(packet.bytes.size() * i / count);
  std::uint64_t verdicts = 0;
  code->function()(packets.data(), count, &verdicts);
  for (std::size_t i = 0; i < count; ++i)
    expect((verdicts >> i & 1) == (ir::evaluate(graph, packets[i]) != 0), "a batch that does something else than its graph");
  expect(verdicts >> count == 0, "verdicts of no packet");
}

/// Machine code of the graph. Sanitizers do not see into it; what the simulated code reads past the packet ends the process.
void run_native(const ir::Program& graph, const Packet& packet, std::uint32_t expected) {
  static simulate::Simulator aarch64;
  for (const native::Vectors vectors : {native::Vectors::None, native::host_vectors()}) run_batch(graph, packet, vectors);
  if (const auto code = native::emit(graph)) expect(code->run(packet) == expected, "native code that does something else than its graph");
  const auto other = native::encode(graph, native::Cpu::AArch64);
  if (!other) return expect_presentable("", other.error());
  const auto ran = aarch64.run(*other, packet);
  expect(ran.result == expected, "code for AArch64 that does something else than its graph");
  expect(!ran.broken, "code for AArch64 that breaks the rules of calls: " + ran.broken.value_or(""));
}

void run_on(const cbpf::Program& p, const Packet& packet, vm::Machine machine) {
  std::uint64_t steps = 0;
  const std::uint32_t result = vm::run(p, packet, machine, &steps);
  expect(vm::run_checked(p, packet, machine) == result, "another result when nothing is checked again");
  expect(steps > 0 && steps <= p.instructions.size(), "more steps than instructions");
  Limits limits;
  limits.lifted_states = packet.length % 2 == 0 ? limits.lifted_states : 0;  // 0: values that meet become a choice at once
  limits.lifted_most = 5000;
  limits.lifted_tests = 5000;
  const auto graph = lift::lift(p, machine == vm::Machine::Kernel ? lift::Machine::Kernel : lift::Machine::Libpcap, limits);
  if (!graph) return expect_presentable("", graph.error());
  expect(!ir::verify(*graph), "a lifted graph that is none: " + ir::verify(*graph).value_or(""));
  expect(ir::evaluate(*graph, packet) == result, "a graph that does something else than its program");
  run_native(*graph, packet, result);
  const auto again = cbpf::emit(*graph, limits);
  if (!again) return;
  expect(!cbpf::check(*again), "a program that no machine takes");
  expect(vm::run(*again, packet, machine) == result, "a program made of a graph that does something else");
}

void run_one(std::span<const std::uint8_t> data) {
  Bytes bytes(data);
  const cbpf::Program p = read_program(bytes);
  const std::uint32_t length = bytes.number(2), tag = bytes.number(2);
  // In memory of its own, so that reading behind its end is seen.
  const std::vector<std::uint8_t> captured = bytes.all();
  if (const auto problem = cbpf::check(p)) return expect_presentable("", *problem);
  check_texts(p);
  Packet packet{.bytes = captured, .length = length};
  packet.meta.vlan_tag = tag;
  packet.meta.vlan_tag_present = tag != 0;
  for (const vm::Machine machine : {vm::Machine::Libpcap, vm::Machine::Kernel}) run_on(p, packet, machine);
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::run_one({data, size});
  return 0;
}
