// Any bytes are read as an eBPF program, or refused with a word; any program runs on any packet without reading where it may not
// (the sanitizers look on), and stops; one that ebpf::check accepts runs to its end. Programs are printed and read back.
//
// The bytes of an input: flags (1: text or an object; the program is all that follows, and runs on no packet; otherwise bits 1 to
// 3 are the hook), how many instructions, 8 bytes each, length of the first piece 1; the packet.
#include <cstring>

#include "ebpf/decode.hpp"
#include "ebpf/read.hpp"
#include "expect.hpp"
#include "input.hpp"
#include "vm/ebpf.hpp"

namespace weir::fuzz {
namespace {

constexpr std::uint64_t most_steps = 2000;

void run_program(const ebpf::Program& p, std::span<const std::uint8_t> captured, std::size_t linear) {
  const auto problem = ebpf::check(p);
  if (problem) expect(!problem->message.empty(), "a refusal without a word");
  vm::EbpfSetting setting;
  setting.linear = linear;
  setting.most_steps = most_steps;
  const auto r = vm::EbpfMachine(p).run({captured, static_cast<std::uint32_t>(captured.size())}, setting);
  const bool is_long = r.fault && r.steps == most_steps;
  expect(problem || !r.fault || is_long, "an accepted program that is stopped: " + (r.fault ? r.fault->reason : ""));
}

void check_text(const ebpf::Program& p) {
  std::string text;
  for (std::size_t at = 0; at < p.instructions.size(); ++at) {
    const bool wide = is_wide(p.instructions[at]) && exists(p.instructions[at]);
    const bool whole = wide && at + 1 < p.instructions.size();
    const ebpf::Instruction next = whole ? p.instructions[at + 1] : ebpf::Instruction{};
    if (whole && (next.code || next.dst || next.src || next.offset ||
                  (next.imm && (p.instructions[at].src == ebpf::map_index || p.instructions[at].src == ebpf::map_descriptor))))
      return;
    if (wide && !whole) return;
    text += to_string(p.instructions[at], next) + "\n";
    at += whole;
  }
  if (text.empty()) return;
  const auto back = ebpf::read_text(text);
  expect(back && back->instructions == p.instructions, "a program that is not read back: " + text);
}

void run_one(std::span<const std::uint8_t> data) {
  Bytes bytes(data);
  const std::uint32_t flags = bytes.number(1);
  if (flags & 1) {
    const auto rest = bytes.all();
    const std::string text(rest.begin(), rest.end());
    const auto p = ebpf::read(text);
    if (!p) return expect_presentable(text, p.error());
    return run_program(*p, {}, 0);
  }
  ebpf::Program p;
  p.hook = static_cast<ebpf::Hook>(std::min<std::uint32_t>(flags >> 1 & 7, 6));
  p.maps = {{"hash", ebpf::MapKind::Hash, 4, 8, 4, {1, 0, 0, 0}, {}},
            {"trie", ebpf::MapKind::LpmTrie, 8, 1, 4, {8, 0, 0, 0, 10, 0, 0, 0}, {}},
            {"array", ebpf::MapKind::Array, 4, 16, 1, {}, {}}};
  for (std::uint32_t n = bytes.number(1); n > 0; --n) {
    ebpf::Instruction i = ebpf::make(static_cast<std::uint8_t>(bytes.number(1)), 0, 0, 0, 0);
    const std::uint32_t registers = bytes.number(1);
    i.dst = registers & 0xf;
    i.src = registers >> 4 & 0xf;
    i.offset = static_cast<std::int16_t>(bytes.number(2));
    i.imm = static_cast<std::int32_t>(bytes.number(4));
    p.instructions.push_back(i);
  }
  const std::size_t linear = bytes.number(1);
  const std::vector<std::uint8_t> captured = bytes.all();
  check_text(p);
  run_program(p, captured, linear);
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::run_one({data, size});
  return 0;
}
