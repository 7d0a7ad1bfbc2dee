// Reading assembly text: what to_assembly writes, and what others write.
#include <doctest/doctest.h>

#include "random_program.hpp"

namespace weir::cbpf {
namespace {

using namespace op;

TEST_CASE("what is printed is read back") {
  test::RandomPrograms random(5);
  for (std::uint32_t count = 1; count < 300; count += 7) {
    Program p = random.program(count);
    for (Instruction& i : p.instructions) {  // operands that an instruction does not use are not printed
      const Operand operand = row(i.code)->operand;
      if (operand == Operand::Nothing || operand == Operand::IndexX || operand == Operand::Result || operand == Operand::Length) i.k = 0;
    }
    const auto back = read_assembly(to_assembly(p, ""));
    REQUIRE_MESSAGE(back, back.error().message);
    CHECK(*back == p);
    CHECK(read(to_assembly(p, "")) == p);
    CHECK(read(to_string(p, Style::Decimal)) == p);
    CHECK(read(to_string(p, Style::Bytecode)) == p);
  }
}

TEST_CASE("names and metadata are read back") {
  Program p;
  for (const MetadataRow& r : metadata_rows) p.instructions.push_back({static_cast<std::uint16_t>(LD | r.size | ABS), 0, 0, r.offset});
  p.instructions.push_back({LD | H | ABS, 0, 0, 12});
  p.instructions.push_back({JMP | JEQ | K, 0, 0, 0x86dd});
  p.instructions.push_back({RET | K, 0, 0, 0xffffffff});
  CHECK(read_assembly(to_assembly(p, "")) == p);
}

TEST_CASE("other ways to write it") {
  struct Row {
    const char* text;
    Instruction first;
  };
  constexpr std::uint16_t ldb = LD | B | ABS;
  for (const Row& row : {
           Row{"LD #0x10", {LD | IMM, 0, 0, 16}},
           Row{"ldi 0b101", {LD | IMM, 0, 0, 5}},
           Row{"ldxi #-1", {LDX | IMM, 0, 0, 0xffffffff}},
           Row{"ld len", {LD | LEN, 0, 0, 0}},
           Row{"ldx #pktlen", {LDX | LEN, 0, 0, 0}},
           Row{"ldb proto", {ldb, 0, 0, meta_offset}},
           Row{"ldb #vlan_avail", {ldb, 0, 0, meta_offset + 48}},
           Row{"ldb rand", {ldb, 0, 0, meta_offset + 56}},
           Row{"ldb [-4096]", {ldb, 0, 0, meta_offset}},
           Row{"ldb [x+14]", {LD | B | IND, 0, 0, 14}},
           Row{"ldb [ %x + 010 ]", {LD | B | IND, 0, 0, 8}},
           Row{"ldh [x]", {LD | H | IND, 0, 0, 0}},
           Row{"ldx 4 * ([14] & 15)", {LDX | B | MSH, 0, 0, 14}},
           Row{"st m[3]", {ST, 0, 0, 3}},
           Row{"add %x", {ALU | ADD | X, 0, 0, 0}},
           Row{"neg", {ALU | NEG, 0, 0, 0}},
           Row{"jeq #ETHERTYPE_IP, on", {JMP | JEQ | K, 1, 0, 0x800}},
           Row{"jneq #1, on", {JMP | JEQ | K, 0, 1, 1}},
           Row{"jne x, on", {JMP | JEQ | X, 0, 1, 0}},
           Row{"jlt #2, on", {JMP | JGE | K, 0, 1, 2}},
           Row{"jle #2, on", {JMP | JGT | K, 0, 1, 2}},
           Row{"jset #2, on, next", {JMP | JSET | K, 1, 0, 2}},
           Row{"jmp on", {JMP | JA, 0, 0, 1}},
           Row{"ret %a", {RET | A, 0, 0, 0}},
           Row{"ret #7", {RET | K, 0, 0, 7}},
           Row{"#define K 9\n# 1 \"file\"\n ret #K // nine", {RET | K, 0, 0, 9}},
           Row{"/* a\nb */ first: ret #1 ; one", {RET | K, 0, 0, 1}},
       }) {
    CAPTURE(row.text);
    const auto p = read_assembly(std::string(row.text) + "\nnext: tax\non: ret a");
    REQUIRE_MESSAGE(p, p.error().message);
    CHECK(p->instructions == std::vector<Instruction>{row.first, {MISC | TAX, 0, 0, 0}, {RET | A, 0, 0, 0}});
  }
}

TEST_CASE("errors name the place") {
  struct Row {
    const char* text;
    const char* words;
    const char* message;
  };
  for (const Row& row : {
           Row{"", "", "there are no instructions"},
           Row{"ldh [12]\nlda #3", "lda", "'lda' is no instruction"},
           Row{"ldh M[3]", "ldh", "'ldh' has no such operand"},
           Row{"ldh [12", "", "expected ']', found the end of the text"},
           Row{"ld #ETHERTYPE_NONE", "ETHERTYPE_NONE", "'ETHERTYPE_NONE' is not defined"},
           Row{"ld #4294967296", "4294967296", "expected a number, found '4294967296'"},
           Row{"ld [y + 3]", "y", "'y' is not defined"},
           Row{"ld %y", "y", "the registers are %a and %x"},
           Row{"ldx 5*([14]&0xf)", "0xf", "only 4*([K]&0xf) can be loaded so"},
           Row{"jeq #1, on", "on", "there is no label 'on'"},
           Row{"on: jeq #1, on", "on", "'on' lies behind: programs jump forward only"},
           Row{"on: tax\non: ret a", "on", "label 'on' stands in two places"},
           Row{"jeq #1 on", "on", "expected ',', found 'on'"},
           Row{"ret #1 $", "$", "expected an instruction or a label, found '$'"},
       }) {
    CAPTURE(row.text);
    const auto p = read_assembly(row.text);
    REQUIRE_FALSE(p);
    CHECK(p.error().code == Code::Input);
    CHECK(p.error().message == row.message);
    const Span span = p.error().span;
    CHECK(std::string_view(row.text).substr(span.begin, span.end - span.begin) == row.words);
  }
  std::string far = "jeq #1, on\n";
  for (int n = 0; n < 256; ++n) far += "tax\n";
  CHECK(read_assembly(far + "on: ret a").error().message == "'on' is 256 instructions away, and this jump reaches 255");
}

}  // namespace
}  // namespace weir::cbpf
