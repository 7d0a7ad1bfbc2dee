// Joins nodes of the tree, and holds the one place where nesting is limited: what comes after the parser may recurse
// over the tree, and no text can make the parser's stack grow without bound.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ast/expr.hpp"
#include "base/limits.hpp"

namespace weir::grammar {

/// A name as the lexer found it; the text is without the backslash.
struct Word {
  std::string_view text;
  bool escaped = false;
};

/// An expression on its way through the parser's stack: it is moved often, so it must be cheap to move.
using Tree = std::unique_ptr<ast::Expr>;

class Builder {
 public:
  explicit Builder(const Limits& limits) : limit_(limits.depth) {}

  /// Around everything that nests before it is complete: `(`, `[`, `not`, unary minus, the right side of `%` and `^`.
  void enter(Span at);
  void leave() { --nesting_; }

  // ---- expressions; `at` is the span of all their words
  template <class Node>
  static Tree leaf(Node node, Span at) {
    return tree(std::move(node), at, 1);
  }
  /// Appends to the chain that `left` is, or begins one.
  static Tree chain(Tree left, bool is_or, Tree right, Span at);
  Tree negation(Tree operand, Span at) const;
  Tree group(Tree inner, Span at) const;
  /// Puts qualifiers before an id, or before a group of ids.
  Tree qualified(ast::Qualifiers qualifiers, Tree ids, Span at) const;
  Tree relation(ast::Compare op, ast::Value left, ast::Value right, Span at) const;

  // ---- ids without qualifiers
  static Tree number_id(std::uint32_t value, Span at);
  static Tree name_id(Word word, Span at);
  static Tree text_id(ast::IdKind kind, std::string_view text, Span at);
  static Tree prefix_id(ast::IdKind kind, std::string_view text, std::uint32_t length, Span at);
  static Tree mask_id(std::string_view text, std::string_view mask, Span at);

  // ---- values
  static ast::Value number(std::uint32_t value, Span at) { return {ast::Number{value}, at, 1}; }
  static ast::Value length(Span at) { return {ast::Length{}, at, 1}; }
  ast::Value accessor(ast::Protocol protocol, ast::Value offset, std::uint32_t size, Span size_span, Span at) const;
  ast::Value negative(ast::Value operand, Span at) const;
  ast::Value binary(Arith op, ast::Value left, ast::Value right, Span at) const;
  /// Parentheses around a value are no node; its words grow by them.
  static ast::Value parenthesised(ast::Value value, Span at);

 private:
  template <class Node>
  static Tree tree(Node node, Span at, std::uint32_t depth) {
    return std::make_unique<ast::Expr>(ast::Expr{std::move(node), at, depth});
  }
  /// The depth of a node above one of depth `below`.
  std::uint32_t above(std::uint32_t below, Span at) const;

  std::uint32_t limit_;
  std::uint32_t nesting_ = 0;
};

}  // namespace weir::grammar
