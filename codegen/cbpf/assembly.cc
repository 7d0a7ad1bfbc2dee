// Prints programs as assembly text that the kernel's tools/bpf/bpf_asm and netsniff-ng's bpfc both take, once the C
// preprocessor has replaced the symbolic names. Three things to know of their lexers: `+14` without a space is a
// number with a sign, so it is `[x + 14]`; a label has two characters at least; and a comment with `;` reaches the
// preprocessor as code, so comments are C's. An operand that an instruction does not use has no text (libpcap's optimizer
// leaves such: `tax` with a k); it assembles to 0. Tested by tests/unit/cbpf/assembly_test.cc, which assembles.
#include <fmt/format.h>

#include <iterator>
#include <map>
#include <set>

#include "cbpf/opcodes.hpp"

namespace weir::cbpf {
namespace {

using Out = std::back_insert_iterator<std::string>;

// ---- Which numbers have names ----

/// What a place in a packet holds.
enum class Kind : std::uint8_t { Other, EtherType, IpProtocol };

/// Bytes of the packet at a fixed offset; none of them when `size` is 0.
struct Load {
  std::uint32_t size = 0;
  std::uint32_t offset = 0;
  bool operator==(const Load&) const = default;
};

const char* symbol_of(Kind kind, std::uint32_t number) {
#define WEIR_SYMBOL(kind_, number_, name) \
  if (kind == Kind::kind_ && number == (number_)) return name;
#define WEIR_PLACE(kind_, size_, offset_)
#include "cbpf/symbols.def"
#undef WEIR_SYMBOL
#undef WEIR_PLACE
  return nullptr;
}

Kind kind_without_tags(const Load& load) {
#define WEIR_SYMBOL(kind_, number_, name)
#define WEIR_PLACE(kind_, size_, offset_) \
  if (load == Load{size_, offset_}) return Kind::kind_;
#include "cbpf/symbols.def"
#undef WEIR_SYMBOL
#undef WEIR_PLACE
  return Kind::Other;
}

/// How many bytes a load takes.
std::uint32_t size_of(const Instruction& i) {
  const int size = i.code & (op::H | op::B);
  return size == op::W ? 4 : size == op::H ? 2 : 1;
}

/// What A holds once `i` is done, if it held `before`.
Load held_after(const Instruction& i, const Load& before) {
  const Row* r = row(i.code);
  if (r != nullptr && r->operand == Operand::Absolute) return {size_of(i), i.k};
  switch (i.code & 0x07) {
    case op::LD:
    case op::ALU: return {};
    case op::MISC: return r != nullptr && r->code == Opcode::Txa ? Load{} : before;
    default: return before;
  }
}

/// What A holds when an instruction is reached: a load, when it is the same on every way there.
class Held {
 public:
  explicit Held(const std::vector<Instruction>& code) : at_(code.size()), reached_(code.size()) {
    if (code.empty()) return;
    reach(0, {});
    for (std::size_t pc = 0; pc < code.size(); ++pc)  // a jump back brings what the walk has not seen: nothing known
      if (is_ja(code[pc]) && target(pc, code[pc].k) <= pc) reach(target(pc, code[pc].k), {});
    for (std::size_t pc = 0; pc < code.size(); ++pc) flow(code[pc], pc);
  }

  const Load& at(std::size_t pc) const { return at_[pc]; }

 private:
  static bool is_ja(const Instruction& i) { return static_cast<Opcode>(i.code) == Opcode::Ja; }
  static std::uint32_t target(std::size_t pc, std::uint32_t distance) {
    return static_cast<std::uint32_t>(pc) + 1 + distance;
  }

  void reach(std::size_t pc, const Load& load) {
    if (pc >= at_.size()) return;
    if (reached_[pc] && at_[pc] != load) at_[pc] = {};
    if (!reached_[pc]) at_[pc] = load;
    reached_[pc] = true;
  }

  void flow(const Instruction& i, std::size_t pc) {
    const Load after = held_after(i, at_[pc]);
    if ((i.code & 0x07) == op::RET) return;
    if (is_ja(i)) return reach(target(pc, i.k), after);
    if ((i.code & 0x07) != op::JMP) return reach(pc + 1, after);
    reach(target(pc, i.jt), after);
    reach(target(pc, i.jf), after);
  }

  std::vector<Load> at_;
  std::vector<bool> reached_;
};

bool is_vlan_type(std::uint32_t k) { return k == 0x8100 || k == 0x88a8 || k == 0x9100; }

/// Decides what compared numbers mean, from where they were loaded and the words that asked.
class Meanings {
 public:
  Meanings(const Program& p, std::string_view filter) : program_(p), filter_(filter), held_(p.instructions) {
    for (std::size_t pc = 0; pc < p.instructions.size(); ++pc) note(p.instructions[pc], held_.at(pc));
  }

  /// The name of the number that an instruction compares with; nullptr when it has none.
  const char* name(std::size_t pc) const {
    const Instruction& i = program_.instructions[pc];
    if (static_cast<Opcode>(i.code) != Opcode::JeqK || names_its_own_bytes(words(pc))) return nullptr;
    return symbol_of(kind_of(held_.at(pc)), i.k);
  }

  std::string_view words(std::size_t pc) const {
    if (pc >= program_.spans.size()) return {};
    const Span span = program_.spans[pc];
    if (span.begin >= span.end || span.end > filter_.size()) return {};
    return filter_.substr(span.begin, span.end - span.begin);
  }

 private:
  void note(const Instruction& i, const Load& held) {
    if (static_cast<Opcode>(i.code) == Opcode::JeqK && held.size == 2 && is_vlan_type(i.k)) tagged_.insert(held.offset);
    if (i == Instruction{op::LD | op::W | op::ABS, 0, 0, 2}) loads_mac_ = true;
  }

  /// A number follows a VLAN tag when the program asked for the tag 4 bytes before an EtherType's place.
  Kind kind_of(Load load) const {
    if (load == Load{2, 0} && loads_mac_) return Kind::Other;  // with `ld [2]` it is half of a MAC address
    for (std::size_t tags = 0; tags <= tagged_.size(); ++tags) {
      if (const Kind kind = kind_without_tags(load); kind != Kind::Other) return kind;
      if (load.offset < 4 || (load.size == 2 && !tagged_.contains(load.offset - 4))) break;
      load.offset -= 4;
    }
    return Kind::Other;
  }

  /// `ip6[12:2] = 0x800` reads where another link type has its EtherType. The bytes of a transport protocol lie
  /// behind a header of varying length, and what several primitives share is a protocol's own test.
  static bool names_its_own_bytes(std::string_view words) {
    for (const std::string_view joint : {" and ", " or ", "&&", "||"})
      if (words.find(joint) != std::string_view::npos) return false;
    const std::size_t bracket = words.find('[');
    if (bracket == std::string_view::npos) return false;
    for (const std::string_view transport : {"tcp", "udp", "sctp", "icmp", "igmp", "igrp", "pim", "vrrp"})
      if (words.substr(0, bracket) == transport) return false;
    return true;
  }

  const Program& program_;
  std::string_view filter_;
  Held held_;
  std::set<std::uint32_t> tagged_;  // offsets of EtherTypes that were asked for a VLAN tag
  bool loads_mac_ = false;
};

// ---- Text ----

/// Signed decimal would be taken too, but strtol of a 32-bit host would not read these.
std::string number(std::uint32_t k) { return k >> 31 ? fmt::format("{:#x}", k) : fmt::format("{}", k); }

std::string label(std::size_t pc) { return fmt::format("l{}", pc); }

std::string absolute(std::uint32_t k) {
  const MetadataRow* meta = metadata(k);
  if (meta == nullptr) return fmt::format("[{}]", number(k));
  return *meta->name ? fmt::format("[{}]", meta->name) : fmt::format("#{}", meta->word);
}

std::string operand_text(const Instruction& i, Operand form, std::size_t pc, const char* name) {
  switch (form) {
    case Operand::Nothing: return {};
    case Operand::Number: return fmt::format("#{}", number(i.k));
    case Operand::HexNumber: return name ? fmt::format("#{}", name) : fmt::format("#{:#x}", i.k);
    case Operand::Absolute: return absolute(i.k);
    case Operand::Indirect: return fmt::format("[x + {}]", number(i.k));
    case Operand::Nibble: return fmt::format("4*([{}]&0xf)", number(i.k));
    case Operand::Word: return fmt::format("M[{}]", i.k);
    case Operand::Length: return "#len";
    case Operand::IndexX: return "x";
    case Operand::Target: return label(static_cast<std::uint32_t>(pc) + 1 + i.k);
    case Operand::Result: return "a";
  }
  return {};
}

/// The instructions that jumps lead to.
std::set<std::size_t> jump_targets(const Program& p) {
  std::set<std::size_t> targets;
  for (std::size_t pc = 0; pc < p.instructions.size(); ++pc) {
    const Instruction& i = p.instructions[pc];
    const Row* r = row(i.code);
    if (r == nullptr) continue;
    if (r->demand == Demand::Jump) targets.insert(static_cast<std::uint32_t>(pc) + 1 + i.k);
    if (r->demand == Demand::Branch) targets.insert({pc + 1 + i.jt, pc + 1 + i.jf});
  }
  return targets;
}

/// An instruction that does not exist becomes a line that no assembler takes.
void line(Out out, const Instruction& i, std::size_t pc, const std::string& mark, const char* name) {
  const Row* r = row(i.code);
  const std::string word = r ? r->word : "unimp";
  std::string operand = r ? operand_text(i, r->operand, pc, name) : fmt::format("{:#x}", i.code);
  if (r && r->demand == Demand::Branch) operand += fmt::format(", {}, {}", label(pc + 1 + i.jt), label(pc + 1 + i.jf));
  if (operand.empty())
    fmt::format_to(out, "{:<7} {}\n", mark, word);
  else
    fmt::format_to(out, "{:<7} {:<4} {}\n", mark, word, operand);
}

/// Words of a filter on one line of a comment: not too long, and nothing in it that ends the comment.
std::string comment_text(std::string_view words) {
  constexpr std::size_t most = 100;
  std::string text;
  for (const char c : words) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (blank && (text.empty() || text.back() == ' ')) continue;
    if (c == '/' && text.ends_with('*')) text += ' ';
    text += blank ? ' ' : c;
    if (text.size() >= most) return text + " ...";
  }
  return text;
}

/// `#define` lines for the names that the program's lines use: of compared numbers, and of metadata.
void defines(Out out, const Program& p, const Meanings& meanings) {
  std::map<std::string, std::uint32_t> names;
  for (std::size_t pc = 0; pc < p.instructions.size(); ++pc) {
    const Instruction& i = p.instructions[pc];
    if (const char* name = meanings.name(pc)) names.emplace(name, i.k);
    const Row* r = row(i.code);
    const MetadataRow* meta = r && r->operand == Operand::Absolute ? metadata(i.k) : nullptr;
    if (meta && *meta->name) names.emplace(meta->name, i.k);
  }
  for (const auto& [name, k] : names)
    fmt::format_to(out, "#define {} {}\n", name, k > 0xff ? fmt::format("{:#x}", k) : fmt::format("{}", k));
  if (!names.empty()) fmt::format_to(out, "\n");
}

}  // namespace

std::string to_assembly(const Program& p, std::string_view filter) {
  std::string text;
  const Out out = std::back_inserter(text);
  const Meanings meanings(p, filter);
  const std::set<std::size_t> targets = jump_targets(p);
  defines(out, p, meanings);
  for (std::size_t pc = 0; pc < p.instructions.size(); ++pc) {
    const bool group = pc < p.spans.size() && (pc == 0 || p.spans[pc] != p.spans[pc - 1]);
    const std::string words = group ? comment_text(meanings.words(pc)) : "";
    if (group && pc > 0 && words.empty()) fmt::format_to(out, "\n");  // not of the words above
    if (!words.empty()) fmt::format_to(out, "/* {} */\n", words);
    line(out, p.instructions[pc], pc, targets.contains(pc) ? label(pc) + ":" : "", meanings.name(pc));
  }
  return text;
}

}  // namespace weir::cbpf
