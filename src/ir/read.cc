// Reads the text of to_string. A name is any word, so that a program written by hand may say `accept: return 1`.
// Tested by tests/unit/ir/text_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "ir/program.hpp"
#include "ir/words.hpp"

namespace weir::ir {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// What is left of a line: words, numbers and signs. The first thing that goes wrong is kept, and nothing matches
/// after it, so that the rules below read straight on.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) { skip(); }

  bool ended() const { return rest_.empty(); }
  const std::string& wrong() const { return wrong_; }
  bool ok() const { return wrong_.empty(); }
  void fail(std::string message) {
    if (ok()) wrong_ = std::move(message);
    rest_ = {};
  }

  /// The word that comes next, empty for a sign.
  std::string_view peek() const {
    std::size_t n = 0;
    while (n < rest_.size() && is_letter(rest_[n])) ++n;
    return rest_.substr(0, n);
  }
  std::string_view word(std::string_view what) {
    const std::string_view found = peek();
    if (found.empty()) fail(fmt::format("expected {}", what));
    drop(found.size());
    return found;
  }
  bool take_word(std::string_view w) {
    if (peek() != w) return false;
    drop(w.size());
    return true;
  }
  bool take_sign(std::string_view sign) {
    if (!rest_.starts_with(sign)) return false;
    drop(sign.size());
    return true;
  }
  void need_word(std::string_view w) {
    if (!take_word(w)) fail(fmt::format("expected '{}'", w));
  }
  void need_sign(std::string_view sign) {
    if (!take_sign(sign)) fail(fmt::format("expected '{}'", sign));
  }

  bool at_number() const { return !rest_.empty() && is_digit(rest_[0]); }
  std::uint32_t number() {
    const std::string_view w = word("a number");
    const bool hex = w.starts_with("0x");
    const std::string_view digits = hex ? w.substr(2) : w;
    std::uint32_t k = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), k, hex ? 16 : 10);
    if (error != std::errc() || end != digits.data() + digits.size())
      fail(fmt::format("'{}' is not a number of 32 bits", w));
    return k;
  }

 private:
  void drop(std::size_t n) {
    rest_.remove_prefix(n < rest_.size() ? n : rest_.size());
    skip();
  }
  void skip() {
    while (!rest_.empty() && is_space(rest_[0])) rest_.remove_prefix(1);
  }

  std::string_view rest_;
  std::string wrong_;
};

// Where one sign begins another (`>=`, `>`), the longer comes first.
constexpr std::array ariths = {Arith::Add, Arith::Sub, Arith::Mul, Arith::Div, Arith::Mod,
                               Arith::And, Arith::Or,  Arith::Xor, Arith::Lsh, Arith::Rsh};
constexpr std::array relations = {Relation::Equal, Relation::GreaterEqual, Relation::Greater, Relation::Bits};

class Reader {
 public:
  Result<Program> read(std::string_view text) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view whole = text.substr(begin, end - begin);
      Line line(whole.substr(0, whole.find('#')));
      if (!line.ended()) statement(line);
      if (!line.ok()) return weir::fail(Code::Input, span(begin, end), line.wrong());
      begin = end + 1;
    }
    if (!has_root_) return weir::fail(Code::Input, span(text.size(), text.size()), "no 'root' line");
    return std::move(p_);
  }

 private:
  static Span span(std::size_t begin, std::size_t end) {
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  void statement(Line& line) {
    if (line.take_word("root")) return root(line);
    const std::string_view name = line.word("a name");
    if (line.take_sign("=")) define(line, values_, name, value(line));
    else if (line.take_sign(":")) define(line, nodes_, name, node(line));
    else line.fail(fmt::format("expected '=' or ':' after '{}'", name));
  }

  void root(Line& line) {
    p_.root = node_name(line);
    if (!line.ended()) line.fail("expected the end of the line");
    if (has_root_) line.fail("a second 'root' line");
    has_root_ = true;
  }

  template <class Id>
  using Names = std::unordered_map<std::string_view, Id>;

  template <class Id>
  void define(Line& line, Names<Id>& names, std::string_view name, Id id) {
    if (!line.ended()) line.fail("expected the end of the line");
    if (!name.empty() && is_digit(name[0])) line.fail(fmt::format("'{}' cannot be a name", name));
    if (line.ok() && !names.emplace(name, id).second) line.fail(fmt::format("'{}' is defined twice", name));
  }

  template <class Id>
  static Id named(Line& line, const Names<Id>& names, std::string_view what) {
    const std::string_view name = line.word(what);
    const auto found = names.find(name);
    if (found != names.end()) return found->second;
    line.fail(fmt::format("'{}' is not defined above", name));
    return Id{};
  }
  NodeId node_name(Line& line) { return named(line, nodes_, "a node"); }

  ValueId operand(Line& line) {
    return line.at_number() ? p_.constant(line.number()) : named(line, values_, "a value");
  }

  struct Address {
    ValueId base = no_value;
    std::uint32_t k = 0;
  };

  /// `[K]`, `[V]`, or `[V + K]` with a name or number for V.
  Address address(Line& line) {
    Address at;
    line.need_sign("[");
    if (line.at_number()) at.k = line.number();
    else at.base = named(line, values_, "an offset");
    if (line.take_sign("+")) {
      if (at.base == no_value) at.base = p_.constant(at.k);
      at.k = line.number();
    }
    line.need_sign("]");
    return at;
  }

  // What is wrong in a line may leave ids that do not exist: nothing is added then.
  ValueId add(const Line& line, Value v) { return line.ok() ? p_.add(v) : no_value; }
  NodeId add(const Line& line, Node n) { return line.ok() ? p_.add(n) : NodeId{}; }

  ValueId value(Line& line) {
    if (line.take_word("load")) return load(line);
    if (line.take_word("length")) return p_.length();
    if (line.take_word("meta")) return meta(line);
    if (line.take_word("choice"))
      return add(line, {ValueKind::Choice, 0, static_cast<std::uint32_t>(node_name(line))});
    if (line.take_sign("-")) {
      const ValueId a = operand(line);
      return add(line, {ValueKind::Negate, 0, 0, a});
    }
    return arithmetic(line);
  }

  ValueId load(Line& line) {
    const std::uint32_t size = line.number();
    if (size != 1 && size != 2 && size != 4) line.fail("a load is of 1, 2 or 4 bytes");
    const Address at = address(line);
    return add(line, {ValueKind::Load, static_cast<std::uint8_t>(size), at.k, at.base});
  }

  ValueId meta(Line& line) {
    const std::string_view word = line.word("the name of something the kernel knows");
    for (const MetaWord& w : meta_words)
      if (w.word == word) return p_.meta(w.meta);
    line.fail(fmt::format("'{}' is nothing the kernel knows", word));
    return no_value;
  }

  ValueId arithmetic(Line& line) {
    const ValueId a = operand(line);
    if (line.ended()) return a;
    for (const Arith op : ariths)
      if (line.take_sign(symbol(op))) {
        const ValueId b = operand(line);
        return add(line, {ValueKind::Binary, static_cast<std::uint8_t>(op), 0, a, b});
      }
    line.fail("expected an operator");
    return no_value;
  }

  NodeId node(Line& line) {
    if (line.take_word("return")) {
      const ValueId a = operand(line);
      return add(line, {NodeKind::Return, 0, 0, a});
    }
    if (line.take_word("guard")) return guard(line);
    if (line.take_word("nonzero")) {
      const ValueId a = operand(line);
      return add(line, {NodeKind::NonZero, 0, 0, a, no_value, then(line)});
    }
    if (line.take_word("if")) return test(line);
    line.fail("expected 'return', 'guard', 'nonzero' or 'if'");
    return NodeId{};
  }

  NodeId then(Line& line) {
    line.need_word("then");
    return node_name(line);
  }

  NodeId guard(Line& line) {
    const std::uint32_t size = line.number();
    if (size == 0 || size > 255) line.fail("a guard is of 1 to 255 bytes");
    const Address at = address(line);
    return add(line, {NodeKind::Guard, static_cast<std::uint8_t>(size), at.k, at.base, no_value, then(line)});
  }

  NodeId test(Line& line) {
    const ValueId a = operand(line);
    if (line.take_word("in")) return member(line, a);
    const auto relation = this->relation(line);
    const ValueId b = operand(line);
    const NodeId t = then(line);
    line.need_word("else");
    const NodeId f = node_name(line);
    return add(line, {NodeKind::Test, static_cast<std::uint8_t>(relation), 0, a, b, t, f});
  }

  NodeId member(Line& line, ValueId a) {
    std::vector<Interval> parts;
    line.need_sign("{");
    do {
      Interval i{line.number(), 0};
      i.high = line.take_sign("-") ? line.number() : i.low;
      if (i.low > i.high) line.fail("an interval that ends before it begins");
      parts.push_back(i);
    } while (line.take_sign(","));
    line.need_sign("}");
    const NodeId t = then(line);
    line.need_word("else");
    const NodeId f = node_name(line);
    return line.ok() ? p_.member(a, Set::join(std::move(parts)), t, f) : NodeId{};
  }

  Relation relation(Line& line) {
    for (const Relation op : relations)
      if (line.take_sign(symbol(op))) return op;
    line.fail("expected a relation");
    return {};
  }

  Program p_;
  Names<ValueId> values_;
  Names<NodeId> nodes_;
  bool has_root_ = false;
};

}  // namespace

Result<Program> read(std::string_view text) { return Reader().read(text); }

}  // namespace weir::ir
