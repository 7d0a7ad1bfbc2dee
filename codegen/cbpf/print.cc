// Prints programs as tcpdump does (libpcap's bpf_image and bpf_dump), as JSON, and as iptables and tc take them.
// Tested by tests/unit/cbpf/print_test.cc against the installed libpcap.
#include <fmt/format.h>

#include <iterator>

#include "cbpf/opcodes.hpp"

namespace weir::cbpf {
namespace {

/// tcpdump prints offsets and plain numbers with a sign.
std::int32_t as_signed(std::uint32_t k) { return static_cast<std::int32_t>(k); }

std::string packet_or_metadata(std::uint32_t k) {
  const MetadataRow* meta = metadata(k);
  return meta ? fmt::format("[{}]", meta->word) : fmt::format("[{}]", as_signed(k));
}

/// `target` is what a `ja` shows.
std::string operand_text(const Instruction& i, Operand form, const std::string& target) {
  switch (form) {
    case Operand::Nothing:
    case Operand::Result: return {};
    case Operand::Number: return fmt::format("#{}", as_signed(i.k));
    case Operand::HexNumber: return fmt::format("#{:#x}", i.k);
    case Operand::Absolute: return packet_or_metadata(i.k);
    case Operand::Indirect: return fmt::format("[x + {}]", as_signed(i.k));
    case Operand::Nibble: return fmt::format("4*([{}]&0xf)", as_signed(i.k));
    case Operand::Word: return fmt::format("M[{}]", as_signed(i.k));
    case Operand::Length: return "#pktlen";
    case Operand::IndexX: return "x";
    case Operand::Target: return target;
  }
  return {};
}

struct Image {
  std::string word;
  std::string operand;
};

Image image(const Instruction& i, const std::string& target) {
  const Row* r = row(i.code);
  // libpcap's printer does not know `ldx #pktlen`, though its machine does.
  if (r == nullptr || r->code == Opcode::LdxLen) return {"unimp", fmt::format("{:#x}", i.code)};
  return {r->word, operand_text(i, r->operand, target)};
}

/// The number of an instruction that is `distance` behind the next one, as tcpdump computes it: in 32 bits, signed.
std::int32_t target_of(std::size_t at, std::uint32_t distance) {
  return as_signed(static_cast<std::uint32_t>(at) + 1 + distance);
}

Image image_at(const Instruction& i, std::size_t at) { return image(i, fmt::format("{}", target_of(at, i.k))); }

bool has_jump_columns(const Instruction& i) { return (i.code & 0x07) == op::JMP && (i.code & 0xf0) != op::JA; }

using Out = std::back_insert_iterator<std::string>;

void listing_line(Out out, const Instruction& i, std::size_t at) {
  const Image text = image_at(i, at);
  if (has_jump_columns(i))
    fmt::format_to(out, "({:03}) {:<8} {:<16} jt {}\tjf {}\n", at, text.word, text.operand, target_of(at, i.jt),
                   target_of(at, i.jf));
  else
    fmt::format_to(out, "({:03}) {:<8} {}\n", at, text.word, text.operand);
}

void listing(Out out, const Program& p) {
  for (std::size_t at = 0; at < p.instructions.size(); ++at) listing_line(out, p.instructions[at], at);
}

void c_array(Out out, const Program& p) {
  for (const Instruction& i : p.instructions)
    fmt::format_to(out, "{{ {:#x}, {}, {}, {:#010x} }},\n", i.code, i.jt, i.jf, i.k);
}

void decimal(Out out, const Program& p) {
  fmt::format_to(out, "{}\n", p.instructions.size());
  for (const Instruction& i : p.instructions) fmt::format_to(out, "{} {} {} {}\n", i.code, i.jt, i.jf, i.k);
}

/// No text of an instruction holds a character that JSON would want escaped.
void json(Out out, const Program& p) {
  fmt::format_to(out, "{{\"instructions\":[");
  for (std::size_t at = 0; at < p.instructions.size(); ++at) {
    const Instruction& i = p.instructions[at];
    const Image text = image_at(i, at);
    fmt::format_to(out, "{}\n{{\"code\":{},\"jt\":{},\"jf\":{},\"k\":{},\"text\":\"{}{}{}\"", at ? "," : "", i.code, i.jt,
                   i.jf, i.k, text.word, text.operand.empty() ? "" : " ", text.operand);
    if (at < p.spans.size()) fmt::format_to(out, ",\"begin\":{},\"end\":{}", p.spans[at].begin, p.spans[at].end);
    fmt::format_to(out, "}}");
  }
  fmt::format_to(out, "\n]}}\n");
}

void bytecode(Out out, const Program& p) {
  fmt::format_to(out, "{}", p.instructions.size());
  for (const Instruction& i : p.instructions) fmt::format_to(out, ",{} {} {} {}", i.code, i.jt, i.jf, i.k);
  fmt::format_to(out, "\n");
}

}  // namespace

std::string to_string(const Program& p, Style style) {
  std::string text;
  const Out out = std::back_inserter(text);
  switch (style) {
    case Style::Listing: listing(out, p); break;
    case Style::CArray: c_array(out, p); break;
    case Style::Decimal: decimal(out, p); break;
    case Style::Json: json(out, p); break;
    case Style::Bytecode: bytecode(out, p); break;
  }
  return text;
}

std::string to_string(const Instruction& i) {
  const Image text = image(i, fmt::format("{:+}", as_signed(i.k)));  // where it stands is not known: the distance
  return fmt::format("{:<8} {}", text.word, text.operand);
}

}  // namespace weir::cbpf
