// Joins nodes of the tree, and holds the one place where nesting is limited: what comes after the parser may recurse
// over the tree, and no text can make the parser's stack grow without bound.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ast/expr.hpp"
#include "base/limits.hpp"

namespace weir::grammar {

/// A word as the lexer found it; of a name, without the backslash.
struct Word {
  const char* begin;
  std::uint32_t size;
  bool escaped;
  std::string_view text() const { return {begin, size}; }
};

/// A word or a number where either may stand.
struct WordOrNumber {
  bool is_number;
  std::uint32_t number;
  Word word;
};

/// What stands before an id.
struct Qualifying {
  ast::Protocol protocol;
  ast::Direction direction;
  ast::Type type;
};

/// Expressions and values on their way through the parser; the builder owns them until they become part of another.
using Tree = ast::Expr*;
using Term = ast::Value*;
using Alternatives = std::vector<ast::FieldTest::Alternative>;

/// What a symbol of the grammar stands for: plain data, since the parser copies it at every step. Which member it is says
/// the symbol's kind.
union Semantic {
  std::uint32_t number = 0;
  bool flag;
  Word word;
  WordOrNumber word_or_number;
  Qualifying qualifying;
  ast::Protocol protocol;
  ast::Direction direction;
  ast::Type type;
  ast::TunnelKind tunnel;
  ast::PfField pf;
  ast::AtmKind atm;
  ast::Mtp2Kind mtp2;
  ast::Field field;
  ast::Compare compare;
  ast::ByteOp byte_op;
  Arith arith;
  Tree tree;
  Term value;
  Alternatives* alternatives;
};
static_assert(std::is_trivially_copyable_v<Semantic>);

/// Nodes that are given out, taken back and given out again: a list needs a few, not one an operand.
template <class T>
class Nodes {
 public:
  T* take() {
    if (free_.empty()) return all_.emplace_back(std::make_unique<T>()).get();
    T* const node = free_.back();
    free_.pop_back();
    return node;
  }
  /// `node` has been moved from.
  void give_back(T* node) { free_.push_back(node); }

 private:
  std::vector<std::unique_ptr<T>> all_;
  std::vector<T*> free_;
};

class Builder {
 public:
  Builder(const Limits& limits, std::size_t text_size) : limit_(limits.depth), text_size_(text_size) {}

  /// Around everything that nests before it is complete: `(`, `[`, `not`, unary minus, the right side of `%` and `^`.
  void enter(Span at);
  void leave() { --nesting_; }

  // ---- expressions; `at` is the span of all their words
  template <class Node>
  Tree leaf(Node node, Span at) {
    return tree(trees_.take(), std::move(node), at, 1);
  }
  /// Appends to the chain that `left` is, or begins one.
  Tree chain(Tree left, bool is_or, Tree right, Span at);
  Tree negation(Tree operand, Span at);
  Tree group(Tree inner, Span at);
  /// Puts qualifiers before an id, or before a group of ids.
  Tree qualified(ast::Qualifiers qualifiers, Tree ids, Span at);
  Tree relation(ast::Compare op, Term left, Term right, Span at);

  // ---- ids without qualifiers
  Tree number_id(std::uint32_t value, Span at);
  Tree word_id(ast::IdKind kind, Word word, Span at);
  Tree prefix_id(ast::IdKind kind, Word word, std::uint32_t length, Span at);
  Tree mask_id(Word word, Word mask, Span at);

  // ---- values
  Term number(std::uint32_t value, Span at) { return term(values_.take(), ast::Number{value}, at, 1); }
  Term length(Span at) { return term(values_.take(), ast::Length{}, at, 1); }
  Term accessor(ast::Protocol protocol, Term offset, std::uint32_t size, Span size_span, Span at);
  Term negative(Term operand, Span at);
  Term binary(Arith op, Term left, Term right, Span at);
  /// Parentheses around a value are no node; its words grow by them.
  static Term parenthesised(Term value, Span at);

  // ---- alternatives of a field
  Alternatives* alternatives(ast::Compare op, std::uint32_t value, Span at);

 private:
  template <class Node>
  static Tree tree(Tree at_node, Node node, Span at, std::uint32_t depth) {
    at_node->node.emplace<Node>(std::move(node));
    at_node->span = at;
    at_node->depth = depth;
    return at_node;
  }
  template <class Node>
  static Term term(Term at_node, Node node, Span at, std::uint32_t depth) {
    at_node->node.emplace<Node>(std::move(node));
    at_node->span = at;
    at_node->depth = depth;
    return at_node;
  }
  ast::Id& bare_id(Tree t, ast::IdKind kind, Span at);
  void make_room(ast::Chain& chain, Span so_far) const;
  /// The depth of a node above one of depth `below`.
  std::uint32_t above(std::uint32_t below, Span at) const;

  std::uint32_t limit_;
  std::size_t text_size_;
  std::uint32_t nesting_ = 0;
  Nodes<ast::Expr> trees_;
  Nodes<ast::Value> values_;
  Nodes<Alternatives> alternatives_;
};

}  // namespace weir::grammar
