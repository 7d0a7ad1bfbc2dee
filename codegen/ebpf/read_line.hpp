// One line of a program in the kernel's notation. Used by read.cc.
#pragma once
#include <fmt/format.h>

#include <bit>
#include <limits>
#include <vector>

#include "ebpf/decode.hpp"
#include "ebpf/helpers.hpp"
#include "ebpf/line_words.hpp"
#include "ebpf/symbols.hpp"
#include "ebpf/tokens.hpp"

namespace weir::ebpf {

constexpr std::uint8_t code(unsigned parts) { return static_cast<std::uint8_t>(parts); }

/// One line. What goes wrong first is kept; what comes after it counts for nothing.
class Line {
 public:
  Line(std::string_view text, std::uint32_t offset) : tokens_(text, offset) { skip_prefix(); }

  /// A name before `:`, which the next instruction has.
  std::optional<Token> label() {
    if (tokens_.peek().kind != Token::Kind::Word) return std::nullopt;
    Tokens ahead = tokens_;
    const Token name = ahead.take();
    if (!ahead.accept(":")) return std::nullopt;
    tokens_ = ahead;
    return name;
  }

  bool at_end() const { return tokens_.at_end(); }
  Span begin() const { return tokens_.peek().span; }

  /// `target` receives the name that a jump goes to, when it is not a distance.
  std::vector<Instruction> statement(Token& target) {
    target_ = &target;
    std::vector<Instruction> made = read();
    skip_symbol();
    if (!problem_ && !tokens_.at_end()) complain("nothing more");
    return made;
  }

  const std::optional<Diagnostic>& problem() const { return problem_; }

 private:
  void complain(std::string_view wanted) {
    if (problem_) return;
    const Token& t = tokens_.peek();
    const std::string found = t.kind == Token::Kind::End ? "the line ends" : fmt::format("'{}' stands", t.text);
    problem_ = Diagnostic{Code::Input, t.span, fmt::format("{} where {} should be", found, wanted),
                          "instructions are written as bpftool prints them: r0 = *(u16 *)(r1 +12), if r0 == 0x800 goto pc+3, exit"};
  }

  /// `12:`, and behind it `(b7)` of the verifier's log or the bytes of llvm-objdump.
  void skip_prefix() {
    if (tokens_.peek().kind != Token::Kind::Number) return;
    Tokens ahead = tokens_;
    ahead.take();
    if (!ahead.accept(":")) return;
    tokens_ = ahead;
    if (ahead.accept("(")) {
      ahead.take();
      if (ahead.accept(")")) tokens_ = ahead;
      return;
    }
    while (ahead.peek().text.size() == 2 && ahead.peek().text.find_first_not_of("0123456789abcdef") == std::string_view::npos) {
      ahead.take();
      tokens_ = ahead;
    }
  }

  /// `<LBB0_3>` behind a jump of llvm-objdump says again where it goes.
  void skip_symbol() {
    if (problem_ || !tokens_.accept("<")) return;
    while (!tokens_.at_end()) tokens_.take();
  }

  void expect(std::string_view text) {
    if (!tokens_.accept(text)) complain(fmt::format("'{}'", text));
  }

  NamedRegister reg() {
    const auto found = register_of(tokens_.peek().text);
    if (!found) return complain("a register"), NamedRegister{};
    tokens_.take();
    return *found;
  }

  std::uint8_t wide_register() {
    const Token here = tokens_.peek();
    const NamedRegister found = reg();
    if (!found.wide && !problem_)
      problem_ = Diagnostic{Code::Input, here.span, fmt::format("{} holds no address: that is r{}", here.text, found.number), {}};
    return found.number;
  }

  /// With a sign before it or without; within [low, high].
  std::int64_t number(std::int64_t low, std::int64_t high) {
    tokens_.accept("+");
    const bool negative = tokens_.accept("-");
    const auto value = tokens_.peek().kind == Token::Kind::Number ? number_of(tokens_.peek().text) : std::nullopt;
    const auto magnitude = value.value_or(0);
    const bool fits = value && magnitude <= (std::uint64_t{1} << 62);
    const std::int64_t signed_value = fits ? (negative ? -static_cast<std::int64_t>(magnitude) : static_cast<std::int64_t>(magnitude)) : 0;
    if (!fits || signed_value < low || signed_value > high) return complain(fmt::format("a number from {} to {}", low, high)), 0;
    tokens_.take();
    return signed_value;
  }

  /// 32 bits, as a signed or an unsigned number.
  std::int32_t immediate() {
    return static_cast<std::int32_t>(number(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::uint32_t>::max()));
  }
  std::int16_t offset() {
    return static_cast<std::int16_t>(number(std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max()));
  }

  std::vector<Instruction> read() {
    if (tokens_.accept("exit")) return {make(code(op::JMP | op::EXIT), 0, 0, 0, 0)};
    if (tokens_.accept("goto")) return {always(false)};
    if (tokens_.accept("gotol")) return {always(true)};
    if (tokens_.accept("call")) return {call()};
    if (tokens_.accept("if")) return {branch()};
    if (tokens_.accept("lock")) return {locked()};
    if (tokens_.accept(".8byte")) return {raw()};
    if (tokens_.peek().text == "*") return {store()};
    return assignment();
  }

  Instruction raw() {
    const auto value = number_of(tokens_.peek().text);
    if (!value) return complain("a number"), Instruction{};
    tokens_.take();
    return std::bit_cast<Instruction>(*value);
  }

  /// `pc+5`, `+5`, or a label.
  std::int32_t jump_target(std::int64_t low, std::int64_t high) {
    const bool relative = tokens_.accept("pc");
    if (relative || tokens_.peek().kind != Token::Kind::Word) return static_cast<std::int32_t>(number(low, high));
    *target_ = tokens_.take();
    return 0;
  }
  std::int16_t near_target() {
    return static_cast<std::int16_t>(
        jump_target(std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max()));
  }
  std::int32_t far_target() { return jump_target(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()); }

  Instruction always(bool far) {
    if (far) return make(code(op::JMP32 | op::JA), 0, 0, 0, far_target());
    return make(code(op::JMP | op::JA), 0, 0, near_target(), 0);
  }

  Instruction call() {
    const Token name = tokens_.peek();
    if (name.kind == Token::Kind::Number) return make(code(op::JMP | op::CALL), 0, 0, 0, immediate());
    const HelperRow* const helper = find_helper(name.text);
    if (helper || name.text == "unknown") {
      tokens_.take();
      const std::int32_t id = tokens_.accept("#") ? immediate() : helper ? helper->id : 0;
      return make(code(op::JMP | op::CALL), 0, 0, 0, id);
    }
    return make(code(op::JMP | op::CALL), 0, call_local, 0, far_target());
  }

  Instruction branch() {
    const NamedRegister left = reg();
    const Symbol* const relation = find_sign(jump_symbols, tokens_.peek().text);
    if (!relation) return complain("a relation such as =="), Instruction{};
    tokens_.take();
    Instruction i = make(code(unsigned{left.wide ? op::JMP : op::JMP32} | relation->operation), left.number, 0, 0, 0);
    operand(i, left.wide);
    expect("goto");
    i.offset = near_target();
    return i;
  }

  /// A register of the same width, or a number.
  void operand(Instruction& i, bool wide) {
    const auto source = register_of(tokens_.peek().text);
    if (!source) {
      i.imm = immediate();
      return;
    }
    if (source->wide != wide) return complain(wide ? "a register r0 to r10" : "a register w0 to w10");
    tokens_.take();
    i.code |= op::X;
    i.src = source->number & 0xf;
  }

  /// `(u16 *)`, of memory.
  Size pointer_size() {
    expect("(");
    const auto size = size_of(tokens_.peek().text);
    if (!size) return complain("a size such as u16"), Size{};
    tokens_.take();
    expect("*");
    expect(")");
    return *size;
  }

  struct Place { std::uint8_t base = 0; std::int16_t offset = 0; };
  /// `(r7 +12)`.
  Place place() {
    expect("(");
    Place p;
    p.base = wide_register();
    if (tokens_.peek().text != ")") p.offset = offset();
    expect(")");
    return p;
  }

  Instruction store() {
    expect("*");
    const Size size = pointer_size();
    const Place to = place();
    expect("=");
    if (const auto source = register_of(tokens_.peek().text)) {
      tokens_.take();
      return make(code(unsigned{op::STX} | op::MEM | size.bits), to.base, source->number, to.offset, 0);
    }
    return make(code(unsigned{op::ST} | op::MEM | size.bits), to.base, 0, to.offset, immediate());
  }

  Instruction atomic(Size size, Place at, std::int32_t operation, std::uint8_t source) const {
    return make(code(unsigned{op::STX} | op::ATOMIC | size.bits), at.base, source, at.offset, operation);
  }

  /// `lock *(u64 *)(r1 +0) += r2`.
  Instruction locked() {
    expect("*");
    const Size size = pointer_size();
    const Place at = place();
    const Symbol* const sign = find_sign(arithmetic_symbols, tokens_.peek().text);
    if (!sign || sign_of(atomic_symbols, sign->operation).empty()) return complain("one of += |= &= ^="), Instruction{};
    tokens_.take();
    return atomic(size, at, sign->operation, reg().number);
  }

  /// `atomic64_fetch_add((u64 *)(r1 +0), r2)` and its like; what it is assigned to is the register in it, or r0.
  std::optional<Instruction> fetching() {
    std::string_view word = tokens_.peek().text;
    if (word.starts_with("atomic64_")) word.remove_prefix(9);
    else if (word.starts_with("atomic_")) word.remove_prefix(7);
    else return std::nullopt;
    const bool compares = word == "cmpxchg", fetches = word.starts_with("fetch_");
    const Symbol* const symbol = fetches ? find_sign(atomic_symbols, word.substr(6)) : nullptr;
    if (!compares && word != "xchg" && !symbol) return std::nullopt;
    tokens_.take();
    expect("(");
    const Size size = pointer_size();
    const Place at = place();
    expect(",");
    if (compares) {
      reg();
      expect(",");
    }
    const std::uint8_t source = reg().number;
    expect(")");
    return atomic(size, at, compares ? atomic_compare_exchange : symbol ? symbol->operation | atomic_fetch : atomic_exchange, source);
  }

  std::vector<Instruction> assignment() {
    const NamedRegister to = reg();
    if (problem_) return {};
    if (tokens_.accept("=")) return value(to);
    const bool with_sign = tokens_.peek().text == "s/=" || tokens_.peek().text == "s%=";
    const Symbol* const sign = find_sign(arithmetic_symbols, with_sign ? tokens_.peek().text.substr(1) : tokens_.peek().text);
    if (!sign) return complain("an assignment such as = or +="), std::vector<Instruction>{};
    tokens_.take();
    Instruction i = make(code(unsigned{to.wide ? op::ALU64 : op::ALU} | sign->operation), to.number, 0,
                         static_cast<std::int16_t>(with_sign), 0);
    operand(i, to.wide);
    return {i};
  }

  std::vector<Instruction> value(NamedRegister to) {
    const std::uint8_t arithmetic = to.wide ? op::ALU64 : op::ALU;
    if (tokens_.peek().text == "*") return {load(to)};
    if (tokens_.accept("(")) return {extending(to)};
    if (tokens_.accept("map")) return map_reference(to);
    if (const auto i = fetching()) return {*i};
    if (const auto i = byte_swap(to)) return {*i};
    if (tokens_.peek().text == "-") {
      Tokens ahead = tokens_;
      ahead.take();
      if (register_of(ahead.peek().text)) {
        tokens_ = ahead;
        reg();
        return {make(code(unsigned{arithmetic} | op::NEG), to.number, 0, 0, 0)};
      }
    }
    Instruction i = make(code(unsigned{arithmetic} | op::MOV), to.number, 0, 0, 0);
    if (register_of(tokens_.peek().text)) return operand(i, to.wide), std::vector{i};
    return constant(to, i);
  }

  /// A number, of 64 bits with `ll` behind it.
  std::vector<Instruction> constant(NamedRegister to, Instruction move) {
    Tokens ahead = tokens_;
    const auto value = number_of(ahead.take().text);
    if (value && ahead.accept("ll")) {
      tokens_ = ahead;
      return {make(code(op::LD | op::IMM | op::DW), to.number, 0, 0, static_cast<std::int32_t>(*value)),
              {0, 0, 0, 0, static_cast<std::int32_t>(*value >> 32)}};
    }
    move.imm = immediate();
    return {move};
  }

  /// Behind `(`: `s8)r2`.
  Instruction extending(NamedRegister to) {
    const auto size = size_of(tokens_.peek().text);
    if (!size || !size->with_sign) return complain("s8, s16 or s32"), Instruction{};
    tokens_.take();
    expect(")");
    Instruction i = make(code(unsigned{to.wide ? op::ALU64 : op::ALU} | op::MOV), to.number, 0, 0, 0);
    operand(i, to.wide);
    i.offset = static_cast<std::int16_t>(bytes_of({size->bits, 0, 0, 0, 0}) * 8);
    return i;
  }

  std::optional<Instruction> byte_swap(NamedRegister to) {
    struct Swap { std::string_view word; std::uint8_t code; };
    static constexpr Swap swaps[] = {{"bswap", op::ALU64 | op::END}, {"be", op::ALU | op::END | op::X}, {"le", op::ALU | op::END}};
    const std::string_view word = tokens_.peek().text;
    for (const Swap& swap : swaps) {
      const auto bits = word.starts_with(swap.word) ? number_of(word.substr(swap.word.size())) : std::nullopt;
      if (!bits || (*bits != 16 && *bits != 32 && *bits != 64)) continue;
      tokens_.take();
      reg();
      return make(swap.code, to.number, 0, 0, static_cast<std::int32_t>(*bits));
    }
    return std::nullopt;
  }

  /// Behind `map`: `[idx:0]`, `[id:0]`, with `+8` for a place in its first value.
  std::vector<Instruction> map_reference(NamedRegister to) {
    expect("[");
    const bool by_index = tokens_.accept("idx");
    if (!by_index) expect("id");
    expect(":");
    const std::int32_t map = immediate();
    expect("]");
    if (tokens_.accept("[")) {
      immediate();
      expect("]");
    }
    const bool wants_value = tokens_.peek().text == "+";
    const std::int32_t offset = wants_value ? immediate() : 0;
    const std::uint8_t source =
        by_index ? (wants_value ? map_value_index : map_index) : (wants_value ? map_value_descriptor : map_descriptor);
    return {make(code(op::LD | op::IMM | op::DW), to.number, source, 0, map), {0, 0, 0, 0, offset}};
  }

  Instruction load(NamedRegister to) {
    expect("*");
    const Size size = pointer_size();
    if (tokens_.accept("skb")) return packet_load(size);
    const Place from = place();
    const std::uint8_t how = size.with_sign ? op::MEMSX : op::MEM;
    return make(code(unsigned{op::LDX} | how | size.bits), to.number, from.base, from.offset, 0);
  }

  /// Behind `skb`: `[12]`, `[r7 + 12]`.
  Instruction packet_load(Size size) {
    expect("[");
    Instruction i = make(code(unsigned{op::LD} | op::ABS | size.bits), 0, 0, 0, 0);
    if (const auto base = register_of(tokens_.peek().text)) {
      tokens_.take();
      i.code = code(unsigned{op::LD} | op::IND | size.bits);
      i.src = base->number & 0xf;
    }
    if (tokens_.peek().text != "]") i.imm = immediate();
    expect("]");
    return i;
  }

  Tokens tokens_;
  Token* target_ = nullptr;
  std::optional<Diagnostic> problem_;
};

}  // namespace weir::ebpf
