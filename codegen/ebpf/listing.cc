// Programs as a whole, for people and for other programs. Tested by tests/unit/ebpf/text_test.cc.
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "ebpf/decode.hpp"
#include "ebpf/program.hpp"

namespace weir::ebpf {
namespace {

using Out = std::back_insert_iterator<std::string>;

std::string_view name_of(MapKind kind) {
  switch (kind) {
    case MapKind::Hash: return "hash";
    case MapKind::LpmTrie: return "lpm_trie";
    case MapKind::Array: return "array";
    case MapKind::PerCpuArray: return "percpu_array";
  }
  return "";
}

Instruction second_half(const Program& p, std::size_t at) {
  return at + 1 < p.instructions.size() ? p.instructions[at + 1] : Instruction{};
}

/// Lines of a filter from a file would break the comment.
std::string on_a_line(std::string_view words) {
  std::string line;
  for (const char c : words) {
    const bool is_space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!is_space) line += c;
    else if (!line.empty() && line.back() != ' ') line += ' ';
  }
  constexpr std::size_t longest = 160;
  return line.size() > longest ? line.substr(0, longest) + " ..." : line;
}

void comment(Out out, Span span, std::string_view filter) {
  if (span.empty() || span.end > filter.size() || span.begin > span.end) return;
  fmt::format_to(out, "; {}\n", on_a_line(filter.substr(span.begin, span.end - span.begin)));
}

/// The field whose offset a loader puts into the instruction.
std::string note(const Program& p, std::size_t at) {
  for (const FieldUse& use : p.fields)
    if (use.instruction == at) return fmt::format("  ; offset of {}.{}", member_of(use.field).structure, member_of(use.field).name);
  return {};
}

void json_map(Out out, const Map& map) {
  fmt::format_to(out,
                 "{{\"name\":\"{}\",\"kind\":\"{}\",\"key_bytes\":{},\"value_bytes\":{},\"max_entries\":{},\"begin\":{},\"end\":{"
                 "},\"keys\":[",
                 map.name, name_of(map.kind), map.key_bytes, map.value_bytes, map.max_entries, map.span.begin, map.span.end);
  for (std::size_t at = 0; at < map.keys.size(); at += map.key_bytes) {
    fmt::format_to(out, "{}\"", at ? "," : "");
    for (std::size_t i = 0; i < map.key_bytes; ++i) fmt::format_to(out, "{:02x}", map.keys[at + i]);
    fmt::format_to(out, "\"");
  }
  fmt::format_to(out, "]}}");
}

/// No text of an instruction holds a character that JSON would want escaped.
void json_instruction(Out out, const Program& p, std::size_t at, bool is_second_half) {
  const Instruction& i = p.instructions[at];
  fmt::format_to(out, "{{\"code\":{},\"dst\":{},\"src\":{},\"off\":{},\"imm\":{}", i.code, +i.dst, +i.src, i.offset, i.imm);
  if (!is_second_half) fmt::format_to(out, ",\"text\":\"{}\"", to_string(i, second_half(p, at)));
  if (at < p.spans.size()) fmt::format_to(out, ",\"begin\":{},\"end\":{}", p.spans[at].begin, p.spans[at].end);
  fmt::format_to(out, "}}");
}

}  // namespace

Member member_of(KernelField field) {
  constexpr std::array members = {
#define WEIR_KERNEL_FIELD(field, structure, member, bytes) Member{structure, member},
#include "ebpf/kernel_fields.def"
#undef WEIR_KERNEL_FIELD
  };
  return members[static_cast<std::size_t>(field)];
}

std::string to_string(const Program& p, std::string_view filter) {
  std::string text;
  const Out out = std::back_inserter(text);
  for (std::size_t i = 0; i < p.maps.size(); ++i)
    fmt::format_to(out, "; map {}: {}, {}, keys of {} bytes, {} of {} entries\n", i, p.maps[i].name, name_of(p.maps[i].kind),
                   p.maps[i].key_bytes, p.maps[i].keys.size() / p.maps[i].key_bytes, p.maps[i].max_entries);
  Span words;
  for (std::size_t at = 0; at < p.instructions.size(); ++at) {
    const Instruction& i = p.instructions[at];
    if (at < p.spans.size() && p.spans[at] != words) comment(out, words = p.spans[at], filter);
    fmt::format_to(out, "{:4}: ({:02x}) {}{}\n", at, i.code, to_string(i, second_half(p, at)), note(p, at));
    if (is_wide(i)) ++at;
  }
  return text;
}

std::string to_json(const Program& p) {
  std::string text;
  const Out out = std::back_inserter(text);
  fmt::format_to(out, "{{\"hook\":\"{}\",\"no_match\":{},\"license\":\"{}\",\"instructions\":[", to_string(p.hook), p.no_match, licence);
  bool is_second_half = false;
  for (std::size_t at = 0; at < p.instructions.size(); ++at) {
    fmt::format_to(out, "{}\n", at ? "," : "");
    json_instruction(out, p, at, is_second_half);
    is_second_half = !is_second_half && is_wide(p.instructions[at]);
  }
  fmt::format_to(out, "\n],\"maps\":[");
  for (std::size_t i = 0; i < p.maps.size(); ++i) {
    fmt::format_to(out, "{}\n", i ? "," : "");
    json_map(out, p.maps[i]);
  }
  fmt::format_to(out, "],\"fields\":[");
  for (std::size_t i = 0; i < p.fields.size(); ++i) {
    const Member m = member_of(p.fields[i].field);
    fmt::format_to(out, "{}{{\"instruction\":{},\"structure\":\"{}\",\"member\":\"{}\"}}", i ? "," : "", p.fields[i].instruction,
                   m.structure, m.name);
  }
  fmt::format_to(out, "]}}\n");
  return text;
}

}  // namespace weir::ebpf
