// Printers against known text and against the installed libpcap.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <pcap/pcap.h>

#include <cstdio>

#include "random_program.hpp"

namespace weir::cbpf {
namespace {

using namespace op;

bpf_insn pcap_instruction(const Instruction& i) { return {i.code, i.jt, i.jf, i.k}; }

/// `ip proto 6` on Ethernet.
const Program sample{{{LD | H | ABS, 0, 0, 12},
                      {JMP | JEQ | K, 0, 3, 0x800},
                      {LD | B | ABS, 0, 0, 23},
                      {JMP | JEQ | K, 0, 1, 6},
                      {RET | K, 0, 0, 262144},
                      {RET | K, 0, 0, 0}},
                     {}};

TEST_CASE("formats of tcpdump") {
  CHECK(to_string(sample, Style::Listing) ==
        "(000) ldh      [12]\n"
        "(001) jeq      #0x800           jt 2\tjf 5\n"
        "(002) ldb      [23]\n"
        "(003) jeq      #0x6             jt 4\tjf 5\n"
        "(004) ret      #262144\n"
        "(005) ret      #0\n");
  CHECK(to_string(sample, Style::CArray) ==
        "{ 0x28, 0, 0, 0x0000000c },\n"
        "{ 0x15, 0, 3, 0x00000800 },\n"
        "{ 0x30, 0, 0, 0x00000017 },\n"
        "{ 0x15, 0, 1, 0x00000006 },\n"
        "{ 0x6, 0, 0, 0x00040000 },\n"
        "{ 0x6, 0, 0, 0x00000000 },\n");
  CHECK(to_string(sample, Style::Decimal) == "6\n40 0 0 12\n21 0 3 2048\n48 0 0 23\n21 0 1 6\n6 0 0 262144\n6 0 0 0\n");
  CHECK(to_string(sample, Style::Bytecode) == "6,40 0 0 12,21 0 3 2048,48 0 0 23,21 0 1 6,6 0 0 262144,6 0 0 0\n");
}

TEST_CASE("JSON tells spans when there are any") {
  Program p{{{LD | H | ABS, 0, 0, 12}, {RET | A, 0, 0, 0}}, {}};
  CHECK(to_string(p, Style::Json) ==
        "{\"instructions\":[\n"
        "{\"code\":40,\"jt\":0,\"jf\":0,\"k\":12,\"text\":\"ldh [12]\"},\n"
        "{\"code\":22,\"jt\":0,\"jf\":0,\"k\":0,\"text\":\"ret\"}\n"
        "]}\n");
  p.spans = {{0, 3}, {}};
  CHECK(to_string(p, Style::Json) ==
        "{\"instructions\":[\n"
        "{\"code\":40,\"jt\":0,\"jf\":0,\"k\":12,\"text\":\"ldh [12]\",\"begin\":0,\"end\":3},\n"
        "{\"code\":22,\"jt\":0,\"jf\":0,\"k\":0,\"text\":\"ret\",\"begin\":0,\"end\":0}\n"
        "]}\n");
  CHECK(to_string(Program{}, Style::Json) == "{\"instructions\":[\n]}\n");
}

TEST_CASE("one instruction alone") {
  CHECK(to_string(Instruction{LD | H | ABS, 0, 0, 12}) == "ldh      [12]");
  CHECK(to_string(Instruction{JMP | JEQ | K, 1, 2, 6}) == "jeq      #0x6");
  CHECK(to_string(Instruction{JMP | JA, 0, 0, 3}) == "ja       +3");
  CHECK(to_string(Instruction{LD | B | ABS, 0, 0, 0xfffff030}) == "ldb      [vlanp]");
}

/// The line of an instruction at a place in a program.
std::string line_at(std::uint32_t place, const Instruction& i) {
  Program p{std::vector<Instruction>(place), {}};
  p.instructions.push_back(i);
  const std::string all = to_string(p, Style::Listing);
  return all.substr(all.rfind('\n', all.size() - 2) + 1);
}

TEST_CASE("every code prints as in libpcap") {
  test::RandomPrograms random(1);
  int different = 0;
  for (std::uint32_t code = 0; code <= 0xffff && different < 5; ++code)
    for (int repeat = code < 256 ? 20 : 1; repeat > 0; --repeat) {
      const Instruction i{static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(random.below(256)),
                          static_cast<std::uint8_t>(random.below(256)), random.number()};
      const std::uint32_t place = code < 256 ? random.below(20) : 0;
      const bpf_insn theirs = pcap_instruction(i);
      const std::string wanted = std::string(bpf_image(&theirs, static_cast<int>(place))) + "\n";
      const std::string line = line_at(place, i);
      if (line != wanted && ++different) FAIL_CHECK(line << "but libpcap prints\n" << wanted);
    }
}

TEST_CASE("metadata print as in libpcap") {
  for (const std::uint16_t mode : {ABS, IND})
    for (const std::uint16_t size : {B, H, W})
      for (std::uint32_t k = meta_offset - 1; k < meta_offset + 70; ++k) {
        const Instruction i{static_cast<std::uint16_t>(LD | size | mode), 0, 0, k};
        const bpf_insn theirs = pcap_instruction(i);
        CHECK(line_at(0, i) == std::string(bpf_image(&theirs, 0)) + "\n");
      }
}

/// What bpf_dump writes to standard output.
std::string pcap_dump(const Program& p, int option) {
  std::vector<bpf_insn> code;
  for (const Instruction& i : p.instructions) code.push_back(pcap_instruction(i));
  const bpf_program program{static_cast<u_int>(code.size()), code.data()};
  std::FILE* file = std::tmpfile();
  std::fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  dup2(fileno(file), STDOUT_FILENO);
  bpf_dump(&program, option);
  std::fflush(stdout);
  dup2(saved, STDOUT_FILENO);
  close(saved);
  std::string text;
  std::rewind(file);
  for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

TEST_CASE("whole programs print as in libpcap") {
  test::RandomPrograms random(2);
  for (std::uint32_t count = 1; count < 1200; count += count / 4 + 1) {
    const Program p = random.program(count);
    CHECK(to_string(p, Style::Listing) == pcap_dump(p, 1));
    CHECK(to_string(p, Style::CArray) == pcap_dump(p, 2));
    CHECK(to_string(p, Style::Decimal) == pcap_dump(p, 3));
  }
}

}  // namespace
}  // namespace weir::cbpf
