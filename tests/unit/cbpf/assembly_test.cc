// Assembly text: as written, and as netsniff-ng's assembler reads it.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "random_program.hpp"

namespace weir::cbpf {
namespace {

using namespace op;

/// The span of `words` in `filter`.
Span span_of(std::string_view filter, std::string_view words) {
  const auto begin = static_cast<std::uint32_t>(filter.find(words));
  return {begin, begin + static_cast<std::uint32_t>(words.size())};
}

TEST_CASE("names, labels and words") {
  const std::string_view filter = "tcp and  host\n10.0.0.1";
  const Span tcp = span_of(filter, "tcp"), host = span_of(filter, "host\n10.0.0.1"), both = {0, host.end};
  const Program p{{{LD | H | ABS, 0, 0, 12},
                   {JMP | JEQ | K, 0, 5, 0x800},
                   {LD | B | ABS, 0, 0, 23},
                   {JMP | JEQ | K, 0, 3, 6},
                   {LD | W | ABS, 0, 0, 26},
                   {JMP | JEQ | K, 0, 1, 0x0a000001},
                   {RET | K, 0, 0, 262144},
                   {RET | K, 0, 0, 0}},
                  {both, both, tcp, tcp, host, host, {}, {}}};
  CHECK(to_assembly(p, filter) ==
        "#define ETHERTYPE_IP 0x800\n"
        "#define IPPROTO_TCP 6\n"
        "\n"
        "/* tcp and host 10.0.0.1 */\n"
        "        ldh  [12]\n"
        "        jeq  #ETHERTYPE_IP, l2, l7\n"
        "/* tcp */\n"
        "l2:     ldb  [23]\n"
        "        jeq  #IPPROTO_TCP, l4, l7\n"
        "/* host 10.0.0.1 */\n"
        "l4:     ld   [26]\n"
        "        jeq  #0xa000001, l6, l7\n"
        "\n"
        "l6:     ret  #262144\n"
        "l7:     ret  #0\n");
}

/// The names that a program's text defines, without their numbers.
std::string names_in(const Program& p, std::string_view filter = {}) {
  std::string names;
  const std::string text = to_assembly(p, filter);
  for (std::size_t at = 0; (at = text.find("#define ", at)) != std::string::npos;) {
    at += 8;
    names += (names.empty() ? "" : " ") + text.substr(at, text.find(' ', at) - at);
  }
  return names;
}

/// A load, and one comparison with what it gave.
Program compare(std::uint16_t load, std::uint32_t offset, std::uint32_t number) {
  return {{{load, 0, 0, offset}, {JMP | JEQ | K, 0, 0, number}, {RET | A, 0, 0, 0}}, {}};
}

TEST_CASE("a name is used only where the number means that") {
  constexpr std::uint16_t ldh = LD | H | ABS, ldb = LD | B | ABS;
  CHECK(names_in(compare(ldh, 12, 0x86dd)) == "ETHERTYPE_IPV6");
  CHECK(names_in(compare(ldh, 12, 0x1234)) == "");
  CHECK(names_in(compare(ldb, 12, 0x06)) == "");
  CHECK(names_in(compare(ldh, 54, 2048)) == "");  // port 2048 in IPv6
  CHECK(names_in(compare(LD | H | IND, 14, 2048)) == "");
  CHECK(names_in(compare(ldb, 23, 17)) == "IPPROTO_UDP");
  CHECK(names_in(compare(ldb, 9, 1)) == "IPPROTO_ICMP");
  CHECK(names_in(compare(ldb, 47, 6)) == "");

  Program words = compare(ldh, 12, 0x800);
  const auto named = [&](std::string_view filter) {
    words.spans.assign(3, {0, static_cast<std::uint32_t>(filter.size())});
    return names_in(words, filter) == "ETHERTYPE_IP";
  };
  CHECK(named("ip"));
  CHECK(named("tcp[13] = 2"));
  CHECK(named("ip[0] = 1 and ip[1] = 2"));
  CHECK_FALSE(named("ip6[12:2] = 0x800"));

  // The second type lies behind a tag only when the program asked for one.
  Program vlan{{{ldh, 0, 0, 12},
                {JMP | JEQ | K, 0, 2, 0x8100},
                {ldh, 0, 0, 16},
                {JMP | JEQ | K, 0, 0, 0x800},
                {RET | K, 0, 0, 0}},
               {}};
  CHECK(names_in(vlan) == "ETHERTYPE_IP ETHERTYPE_VLAN");
  vlan.instructions[1].k = 0x800;
  CHECK(names_in(vlan) == "ETHERTYPE_IP");
  CHECK(to_assembly(vlan, {}).find("#0x800") != std::string::npos);

  // LINUX_SLL2 has its type at 0; a MAC address begins there too.
  Program mac{{{LD | W | ABS, 0, 0, 2}, {JMP | JEQ | K, 0, 2, 5}, {ldh, 0, 0, 0}, {JMP | JEQ | K, 0, 0, 0x800}, {RET | K, 0, 0, 0}}, {}};
  CHECK(names_in(mac) == "");
  mac.instructions[0].k = 4;
  CHECK(names_in(mac) == "ETHERTYPE_IP");

  // A is something else on one of the ways, or has been computed with.
  CHECK(names_in({{{ldh, 0, 0, 12}, {JMP | JEQ | K, 0, 1, 1}, {ldh, 0, 0, 30}, {JMP | JEQ | K, 0, 0, 0x800}, {RET | K, 0, 0, 0}},
                  {}}) == "");
  CHECK(names_in({{{ldh, 0, 0, 12}, {ALU | AND | K, 0, 0, 0xfff}, {JMP | JEQ | K, 0, 0, 0x800}, {RET | K, 0, 0, 0}}, {}}) == "");
  CHECK(names_in({{{ldh, 0, 0, 12},
                   {JMP | JEQ | K, 0, 1, 0x800},
                   {MISC | TXA, 0, 0, 0},
                   {JMP | JA, 0, 0, 0xfffffffd},
                   {RET | K, 0, 0, 0}},
                  {}}) == "");
}

#ifdef WEIR_BPFC
/// What the assembler makes of a text, as tcpdump -ddd writes it but for the first line; or its complaints.
std::string assemble(const std::string& text, bool preprocess_first) {
  std::string name = (std::filesystem::temp_directory_path() / "weir-asm-XXXXXX").string();
  const std::filesystem::path dir = mkdtemp(name.data());
  std::ofstream(dir / "a.asm") << text;
  const std::string in_dir = "cd " + dir.string() + " && ";
  const std::string command = preprocess_first ? in_dir + "cpp -P a.asm > b.asm && " WEIR_BPFC " -f tcpdump -i b.asm 2>&1"
                                               : in_dir + WEIR_BPFC " -p -f tcpdump -i a.asm 2>&1";
  std::string result;
  std::FILE* pipe = popen(command.c_str(), "r");
  for (int c; (c = std::fgetc(pipe)) != EOF;) result += static_cast<char>(c);
  pclose(pipe);
  std::filesystem::remove_all(dir);
  return result;
}

void check_assembles(const Program& p, std::string_view filter) {
  const std::string wanted = to_string(p, Style::Decimal);
  const std::string text = to_assembly(p, filter);
  for (const bool preprocess_first : {false, true}) {
    const bool same = assemble(text, preprocess_first) == wanted.substr(wanted.find('\n') + 1);
    if (!same) FAIL_CHECK(text << "\nassembles to\n" << assemble(text, preprocess_first) << "\nand not to\n" << wanted);
  }
}

TEST_CASE("assembles to the same bytes: everything, each with easy and hard operands") {
  Program p;
  constexpr std::uint8_t distances[] = {0, 3, 255};
  const auto add = [&](Instruction i) { p.instructions.push_back(i); };
  for (const Row& row : instruction_rows) {
    const auto code = static_cast<std::uint16_t>(row.code);
    switch (row.demand) {
      case Demand::Scratch:
        add({ST, 0, 0, 15});
        add({code, 0, 0, 15});
        break;
      case Demand::Shift: add({code, 0, 0, 31}); break;
      case Demand::Jump:
        for (const std::uint32_t k : {0u, 7u, 300u}) add({code, 0, 0, k});
        break;
      case Demand::Branch:
        for (const std::uint8_t jt : distances)
          for (const std::uint8_t jf : distances) add({code, jt, jf, row.operand == Operand::IndexX ? 0 : 0xfedcba98u});
        break;
      default:
        if (row.operand == Operand::Nothing || row.operand == Operand::IndexX || row.operand == Operand::Length ||
            row.operand == Operand::Result)
          add({code, 0, 0, 0});
        else
          for (const std::uint32_t k : {1u, 10u, 0x800u, 0x7fffffffu, 0x80000000u, 0xffffefffu}) add({code, 0, 0, k});
    }
  }
  for (const MetadataRow& row : metadata_rows)
    for (const std::uint16_t size : {B, H, W}) add({static_cast<std::uint16_t>(LD | size | ABS), 0, 0, row.offset});
  p.instructions.insert(p.instructions.end(), 301, {RET | K, 0, 0, 0xffffffff});
  REQUIRE_FALSE(check(p));
  check_assembles(p, {});
}

TEST_CASE("assembles to the same bytes: random programs with random words") {
  constexpr std::uint32_t seed = 6;
  test::RandomPrograms random(seed);
  // Whatever a filter's text holds, it stays in its comment.
  const std::string filter = "tcp */ ret #1 /* 'x \"y // # define\n\t\\; host ETHERTYPE_IP **/ linux \\";
  const auto size = static_cast<std::uint32_t>(filter.size());
  for (int round = 0; round < 20; ++round) {
    Program p = random.program(1 + random.below(600));
    if (check(p)) continue;
    for (Instruction& i : p.instructions) {
      const Row& r = *row(i.code);
      if (r.operand == Operand::Absolute && (i.code & (H | B)) == H && random.below(2)) i.k = 12;
      if (static_cast<Opcode>(i.code) == Opcode::JeqK && random.below(2)) i.k = 0x800;
    }
    for (std::size_t n = 0; n < p.instructions.size(); ++n) {
      const std::uint32_t begin = random.below(size), end = begin + random.below(size - begin + 1);
      p.spans.push_back(random.below(3) || n == 0 ? Span{begin, end} : p.spans.back());
    }
    check_assembles(p, filter);
  }
}
#else
TEST_CASE("assembling") { MESSAGE("bpfc (netsniff-ng) is not installed: what is printed is not assembled"); }
#endif

}  // namespace
}  // namespace weir::cbpf
