// Printing and reading: each is the inverse of the other.
#include <doctest/doctest.h>

#include <bit>
#include <random>

#include "ebpf/decode.hpp"
#include "ebpf/helpers.hpp"

#include <linux/bpf.h>

namespace weir::ebpf {
namespace {

TEST_CASE("instructions print as the kernel prints them") {
  struct Row { Instruction i; const char* text; };
  using namespace op;
  const Row rows[] = {
      {make(ALU64 | MOV | X, 6, 1, 0, 0), "r6 = r1"},
      {make(ALU | MOV, 0, 0, 0, -1), "w0 = -1"},
      {make(ALU64 | ARSH, 3, 0, 0, 32), "r3 s>>= 32"},
      {make(ALU | END | X, 3, 0, 0, 16), "r3 = be16 r3"},
      {make(LDX | MEM | H, 0, 7, 12, 0), "r0 = *(u16 *)(r7 +12)"},
      {make(STX | MEM | DW, 10, 1, -8, 0), "*(u64 *)(r10 -8) = r1"},
      {make(ST | MEM | W, 10, 0, -8, 5), "*(u32 *)(r10 -8) = 5"},
      {make(LD | ABS | H, 0, 0, 0, 12), "r0 = *(u16 *)skb[12]"},
      {make(LD | IND | B, 0, 7, 0, 14), "r0 = *(u8 *)skb[r7 + 14]"},
      {make(JMP | JEQ, 0, 0, 5, 0x800), "if r0 == 0x800 goto pc+5"},
      {make(JMP32 | JSLT | X, 1, 2, -3, 0), "if w1 s< w2 goto pc-3"},
      {make(JMP | JA, 0, 0, 7, 0), "goto pc+7"},
      {make(JMP | CALL, 0, 0, 0, 26), "call bpf_skb_load_bytes#26"},
      {make(JMP | CALL, 0, 1, 0, 4), "call pc+4"},
      {make(JMP | EXIT, 0, 0, 0, 0), "exit"},
      {make(LD | IMM | DW, 1, map_index, 0, 2), "r1 = map[idx:2]"},
      {make(STX | ATOMIC | DW, 1, 2, 0, ADD), "lock *(u64 *)(r1 +0) += r2"},
      {make(STX | ATOMIC | W, 1, 2, 0, ADD | 1), "r2 = atomic_fetch_add((u32 *)(r1 +0), r2)"},
      {make(0xff, 0, 0, 0, 0), ".8byte 0xff"},
  };
  for (const Row& row : rows) CHECK(to_string(row.i) == row.text);
}

TEST_CASE("what is printed reads back, for random instructions") {
  std::mt19937_64 random(1);
  std::size_t read = 0;
  for (int n = 0; n < 200000; ++n) {
    auto i = std::bit_cast<Instruction>(random());
    if (random() % 2) i.src = 0;
    if (random() % 2) i.offset = static_cast<std::int16_t>(random() % 2);
    if (random() % 2) i.imm = 0;
    if ((i.code & 0xf0) == op::END) i.imm = 16 << random() % 3;
    if (!exists(i)) continue;
    const Instruction next =
        is_wide(i)
            ? Instruction{0, 0, 0, 0, i.src == map_index || i.src == map_descriptor ? 0 : static_cast<std::int32_t>(random())}
            : Instruction{};
    const std::string text = to_string(i, next);
    INFO(text);
    const auto back = read_text(text);
    REQUIRE_MESSAGE(back, back.error().message);
    REQUIRE(back->instructions[0] == i);
    if (is_wide(i)) REQUIRE(back->instructions[1] == next);
    ++read;
  }
  CHECK(read > 5000);
}

TEST_CASE("listings of other tools") {
  const auto from_bpftool = read_text("int filter(struct __sk_buff * skb):\n");
  CHECK_FALSE(from_bpftool);
  const auto xlated = read_text(
      "; return 0;\n   0: (bf) r6 = r1\n   1: (18) r1 = 0x1234567890 ll\n   3: (15) if r0 == 0x0 goto pc+1\n   4: (b7) r0 = 0\n  "
      " 5: (95) exit\n");
  REQUIRE(xlated);
  CHECK(xlated->instructions.size() == 6);
  CHECK(wide_constant(xlated->instructions[1], xlated->instructions[2]) == 0x1234567890);
  const auto objdump = read_text(
      "       0:\tbf 16 00 00 00 00 00 00\tr6 = r1\n       1:\t15 01 01 00 00 00 00 00\tif r1 == 0x0 goto +0x1 <out>\n"
      "       2:\tb7 00 00 00 01 00 00 00\tr0 = 0x1\n       3:\t95 00 00 00 00 00 00 00\texit\n");
  REQUIRE_MESSAGE(objdump, objdump.error().message);
  CHECK(objdump->instructions[1].offset == 1);
}

TEST_CASE("errors have their place") {
  const auto message = [](std::string_view text) {
    const auto p = read_text(text);
    REQUIRE_FALSE(p);
    return std::to_string(p.error().span.begin) + ": " + p.error().message;
  };
  CHECK(message("r0 = 0\nr11 = 5") == "7: 'r11' stands where a register should be");
  CHECK(message("r0 = ") == "5: the line ends where a number from -2147483648 to 4294967295 should be");
  CHECK(message("if r0 = 5 goto pc+1") == "6: '=' stands where a relation such as == should be");
  CHECK(message("goto there") == "5: there is no label 'there'");
  CHECK(message("r0 = *(u7 *)(r1 +0)") == "7: 'u7' stands where a size such as u16 should be");
  CHECK(message("exit now") == "5: 'now' stands where nothing more should be");
  CHECK(message("") == "0: the text has no instructions");
}

TEST_CASE("helpers have the kernel's numbers") {
  CHECK(find_helper("bpf_map_lookup_elem")->id == BPF_FUNC_map_lookup_elem);
  CHECK(find_helper("map_update_elem")->id == BPF_FUNC_map_update_elem);
  CHECK(find_helper("map_delete_elem")->id == BPF_FUNC_map_delete_elem);
  CHECK(find_helper("ktime_get_ns")->id == BPF_FUNC_ktime_get_ns);
  CHECK(find_helper("get_prandom_u32")->id == BPF_FUNC_get_prandom_u32);
  CHECK(find_helper("get_smp_processor_id")->id == BPF_FUNC_get_smp_processor_id);
  CHECK(find_helper("skb_load_bytes")->id == BPF_FUNC_skb_load_bytes);
  CHECK(find_helper("skb_pull_data")->id == BPF_FUNC_skb_pull_data);
  CHECK(find_helper("skb_load_bytes_relative")->id == BPF_FUNC_skb_load_bytes_relative);
  CHECK(find_helper("probe_read_kernel")->id == BPF_FUNC_probe_read_kernel);
  CHECK(find_helper("xdp_get_buff_len")->id == BPF_FUNC_xdp_get_buff_len);
  CHECK(find_helper("xdp_load_bytes")->id == BPF_FUNC_xdp_load_bytes);
}

}  // namespace
}  // namespace weir::ebpf
