// Reads assembly text as the kernel's tools/bpf/bpf_asm takes it (its grammar: tools/bpf/bpf_exp.y), and as to_assembly writes it: the
// `#define` lines of numbers are read here, where others want a preprocessor. Line ends mean nothing but to comments. Tested by
// tests/unit/cbpf/read_assembly_test.cc.
#include <fmt/format.h>

#include <functional>
#include <map>
#include <optional>

#include "cbpf/assembly_words.hpp"
#include "cbpf/opcodes.hpp"

namespace weir::cbpf {
namespace {

using namespace assembly;

// ---- What words stand for ----

/// The offset of what the kernel knows of a packet, by its name with or without a `#` before it.
std::optional<std::uint32_t> metadata_named(std::string_view name) {
  constexpr std::pair<std::string_view, std::uint32_t> others[] = {{"vlan_pr", 48}, {"vlan_avail", 48}, {"rand", 56}};
  for (const MetadataRow& r : metadata_rows)
    if (name == r.word) return r.offset;
  for (const auto& [other, offset] : others)
    if (name == other) return meta_offset + offset;
  return std::nullopt;
}

/// Names that need no `#define`: those that to_assembly uses.
std::optional<std::uint32_t> number_named(std::string_view name) {
#define WEIR_SYMBOL(kind, number_, name_) \
  if (name == (name_)) return number_;
#define WEIR_PLACE(kind, size, offset)
#include "cbpf/symbols.def"
#undef WEIR_SYMBOL
#undef WEIR_PLACE
  return std::nullopt;
}

/// Mnemonics that stand for others; `negated`: the way that is written is taken when the test fails.
struct Alias {
  std::string_view word, stands_for;
  bool negated;
};
constexpr Alias aliases[] = {{"jmp", "ja", false},   {"jne", "jeq", true},   {"jneq", "jeq", true}, {"jlt", "jge", true},
                             {"jle", "jgt", true},   {"ldi", "ld", false},   {"ldxi", "ldx", false}};

/// An operand as it is written.
struct Written {
  Operand form = Operand::Nothing;
  std::uint32_t k = 0;
  Token label;  ///< of a Target
};

/// Whether an instruction with the one takes the other: what is printed in hexadecimal need not be written so.
bool fits(Operand wanted, Operand written) {
  const auto plain = [](Operand o) { return o == Operand::HexNumber ? Operand::Number : o; };
  return plain(wanted) == plain(written);
}

bool is_mnemonic(std::string_view word) {
  for (const Row& r : instruction_rows)
    if (word == r.word) return true;
  return false;
}

const Row* row_of(std::string_view word, Operand written) {
  if (word == "ldx" && written == Operand::Nibble) word = "ldxb";
  for (const Row& r : instruction_rows)
    if (word == r.word && fits(r.operand, written)) return &r;
  return nullptr;
}

// ---- Instructions ----

class Reader {
 public:
  explicit Reader(std::string_view text) : lexer_(text) { advance(); }

  Result<Program> run() {
    while (!problem_ && token_.kind != Token::Kind::End) line();
    if (!problem_) resolve();
    if (!problem_ && program_.instructions.empty()) problem_ = Diagnostic{Code::Input, {}, "there are no instructions", {}};
    if (problem_) return std::unexpected(std::move(*problem_));
    return std::move(program_);
  }

 private:
  /// A jump to where labels say, once all are known.
  struct Jump {
    std::size_t at = 0;
    std::optional<Token> t, f;
  };

  void advance() {
    end_ = token_.span.end;
    token_ = lexer_.next();
  }

  void fail_at(const Token& at, std::string message, std::string hint = {}) {
    if (!problem_) problem_ = Diagnostic{Code::Input, at.span, std::move(message), std::move(hint)};
  }

  void expected(std::string_view what) {
    const std::string found = token_.kind == Token::Kind::End ? "the end of the text" : fmt::format("'{}'", token_.text);
    fail_at(token_, fmt::format("expected {}, found {}", what, found));
  }

  bool take(char mark) {
    if (!token_.is(mark)) return false;
    advance();
    return true;
  }

  void want(char mark) {
    if (!take(mark)) expected(fmt::format("'{}'", mark));
  }

  /// A label and its colon, or an instruction.
  void line() {
    if (token_.kind != Token::Kind::Word) return expected("an instruction or a label");
    const Token word = token_;
    advance();
    if (take(':')) {
      if (!labels_.emplace(word.text, program_.instructions.size()).second)
        fail_at(word, fmt::format("label '{}' stands in two places", word.text));
      return;
    }
    instruction(word);
  }

  void instruction(const Token& first) {
    std::string word = lower(first.text);
    bool negated = false;
    for (const Alias& a : aliases) {
      if (a.word != word) continue;
      word = a.stands_for;
      negated = a.negated;
      break;
    }
    if (!is_mnemonic(word)) return fail_at(first, fmt::format("'{}' is no instruction", first.text), "a label ends with a colon");
    const Written written = row_of(word, Operand::Nothing) ? Written{} : operand();
    if (problem_) return;
    const Row* r = row_of(word, written.form);
    if (!r) return fail_at(first, fmt::format("'{}' has no such operand", first.text));
    Jump jump{program_.instructions.size(), {}, {}};
    if (r->demand == Demand::Jump) jump.t = written.label;
    if (r->demand == Demand::Branch) ways(jump, negated);
    if (jump.t || jump.f) jumps_.push_back(jump);
    program_.instructions.push_back({static_cast<std::uint16_t>(r->code), 0, 0, written.k});
    program_.spans.push_back({first.span.begin, end_});
  }

  /// `, L1, L2`, or `, L1` when the other way is the next instruction.
  void ways(Jump& jump, bool negated) {
    want(',');
    (negated ? jump.f : jump.t) = label();
    if (!negated && take(',')) jump.f = label();
  }

  Token label() {
    const Token name = token_;
    if (name.kind != Token::Kind::Word) expected("a label");
    advance();
    return name;
  }

  Written operand() {
    if (take('[')) return address();
    if (take('#')) return immediate();
    const bool is_register = take('%');
    const Token first = token_;
    const std::string word = lower(first.text);
    if (first.kind == Token::Kind::Number) return plain_number();
    if (first.kind != Token::Kind::Word) return expected("an operand"), Written{};
    advance();
    if (word == "x") return {Operand::IndexX, 0, {}};
    if (word == "a") return {Operand::Result, 0, {}};
    if (is_register) return fail_at(first, "the registers are %a and %x"), Written{};
    if (word == "m" && take('[')) {
      const std::uint32_t k = value();
      want(']');
      return {Operand::Word, k, {}};
    }
    if (const auto known = of_the_packet(word)) return *known;
    return {Operand::Target, 0, first};
  }

  /// Behind `[`.
  Written address() {
    const bool is_register = take('%');
    Written w{Operand::Absolute, 0, {}};
    if (token_.kind == Token::Kind::Word && lower(token_.text) == "x") {
      advance();
      w.form = Operand::Indirect;
      const bool has_sign = token_.kind == Token::Kind::Number && !is_digit(token_.text[0]);
      if (take('+') || has_sign) w.k = value();
    } else if (is_register) {
      expected("x");
    } else {
      w.k = value();
    }
    want(']');
    return w;
  }

  /// Behind `#`.
  Written immediate() {
    if (token_.kind == Token::Kind::Word)
      if (const auto known = of_the_packet(lower(token_.text))) return advance(), *known;
    return {Operand::Number, value(), {}};
  }

  static std::optional<Written> of_the_packet(const std::string& word) {
    if (word == "len" || word == "pktlen") return Written{Operand::Length, 0, {}};
    if (const auto offset = metadata_named(word)) return Written{Operand::Absolute, *offset, {}};
    return std::nullopt;
  }

  /// A number, or 4*([K]&0xf).
  Written plain_number() {
    const Token first = token_;
    Written w{Operand::Number, value(), {}};
    if (!take('*')) return w;
    want('(');
    want('[');
    w = {Operand::Nibble, value(), {}};
    want(']');
    want('&');
    const Token mask = token_;
    if (value() != 0xf || first.value != 4) fail_at(mask, "only 4*([K]&0xf) can be loaded so");
    want(')');
    return w;
  }

  std::uint32_t value() {
    const Token t = token_;
    if (t.kind == Token::Kind::Word) {
      const auto defined = lexer_.defined().find(t.text);
      const auto known = defined != lexer_.defined().end() ? std::optional(defined->second) : number_named(t.text);
      if (!known) fail_at(t, fmt::format("'{}' is not defined", t.text), fmt::format("say what it is: #define {} NUMBER", t.text));
      advance();
      return known.value_or(0);
    }
    if (t.kind != Token::Kind::Number) expected("a number");
    advance();
    return t.value;
  }

  // ---- labels ----

  void resolve() {
    for (const Jump& jump : jumps_) {
      Instruction& i = program_.instructions[jump.at];
      if (static_cast<Opcode>(i.code) == Opcode::Ja) {
        i.k = distance(jump.at, *jump.t, 0xffffffff);
        continue;
      }
      if (jump.t) i.jt = static_cast<std::uint8_t>(distance(jump.at, *jump.t, 0xff));
      if (jump.f) i.jf = static_cast<std::uint8_t>(distance(jump.at, *jump.f, 0xff));
    }
  }

  std::uint32_t distance(std::size_t from, const Token& name, std::uint32_t most) {
    const auto to = labels_.find(name.text);
    if (to == labels_.end()) return fail_at(name, fmt::format("there is no label '{}'", name.text)), 0;
    if (to->second <= from) return fail_at(name, fmt::format("'{}' lies behind: programs jump forward only", name.text)), 0;
    const std::size_t far = to->second - from - 1;
    if (far > most) return fail_at(name, fmt::format("'{}' is {} instructions away, and this jump reaches {}", name.text, far, most)), 0;
    return static_cast<std::uint32_t>(far);
  }

  Lexer lexer_;
  Token token_;             ///< the next word
  std::uint32_t end_ = 0;   ///< where the last one ended
  Program program_;
  std::map<std::string, std::size_t, std::less<>> labels_;
  std::vector<Jump> jumps_;
  std::optional<Diagnostic> problem_;
};

/// Behind blanks and comments.
char first_character(std::string_view text) {
  const Token t = Lexer(text).next();
  return t.text.empty() ? '\0' : t.text[0];
}

}  // namespace

Result<Program> read_assembly(std::string_view text) { return Reader(text).run(); }

Result<Program> read(std::string_view text) { return is_digit(first_character(text)) ? read_decimal(text) : read_assembly(text); }

}  // namespace weir::cbpf
