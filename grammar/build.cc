#include "grammar/build.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "grammar/refusal.hpp"

namespace weir::grammar {
namespace {

[[noreturn]] void refuse_depth(std::uint32_t limit, Span at) {
  refuse(Code::TooDeep, at, fmt::format("the expression nests deeper than {} levels", limit),
         "chains of 'and' and 'or' cost no depth; parentheses, 'not', '[…]' and each arithmetic operator do");
}

}  // namespace

void Builder::enter(Span at) {
  // What is being entered will be a level above at least a leaf.
  if (++nesting_ >= limit_) refuse_depth(limit_, at);
}

std::uint32_t Builder::above(std::uint32_t below, Span at) const {
  if (below >= limit_) refuse_depth(limit_, at);
  return below + 1;
}

/// Memory for a list in one piece: the rest of the text will be like what has been read. Within parentheses it need not be.
void Builder::make_room(ast::Chain& chain, Span so_far) const {
  constexpr std::size_t few = 64;
  const std::size_t count = chain.operands.size();
  if (count < few || count < chain.operands.capacity() || nesting_ > 0) return;
  const std::size_t expected = count * (text_size_ - so_far.begin) / (so_far.end - so_far.begin);
  chain.operands.reserve(std::max(expected + expected / few, 2 * count));
}

Tree Builder::chain(Tree left, bool is_or, Tree right, Span at) {
  const std::uint32_t depth = std::max(left->depth, right->depth);
  if (!std::holds_alternative<ast::Chain>(left->node)) {
    ast::Chain chain;
    chain.operands.reserve(4);
    chain.operands.push_back(std::move(*left));
    left->node = std::move(chain);
  }
  auto& chain = std::get<ast::Chain>(left->node);
  make_room(chain, left->span);
  chain.operands.push_back(std::move(*right));
  trees_.give_back(right);
  chain.is_or.push_back(is_or);
  left->span = at;
  left->depth = depth;
  return left;
}

Tree Builder::negation(Tree operand, Span at) {
  const std::uint32_t depth = above(operand->depth, at);
  return tree(operand, ast::Not{std::move(*operand)}, at, depth);
}

Tree Builder::group(Tree inner, Span at) {
  const std::uint32_t depth = above(inner->depth, at);
  return tree(inner, ast::Group{std::move(*inner)}, at, depth);
}

Tree Builder::qualified(ast::Qualifiers qualifiers, Tree ids, Span at) {
  if (auto* primitive = std::get_if<ast::Primitive>(&ids->node)) {
    primitive->qualifiers = qualifiers;
    ids->span = at;
    return ids;
  }
  if (auto* group = std::get_if<ast::Group>(&ids->node))
    return tree(ids, ast::QualifiedGroup{qualifiers, std::move(group->inner)}, at, ids->depth);
  const std::uint32_t depth = above(ids->depth, at);
  return tree(ids, ast::QualifiedGroup{qualifiers, std::move(*ids)}, at, depth);
}

Tree Builder::relation(ast::Compare op, Term left, Term right, Span at) {
  const std::uint32_t depth = above(std::max(left->depth, right->depth), at);
  const Tree made = tree(trees_.take(), ast::Relation{op, std::move(*left), std::move(*right)}, at, depth);
  values_.give_back(left);
  values_.give_back(right);
  return made;
}

ast::Id& Builder::bare_id(Tree t, ast::IdKind kind, Span at) {
  t->span = at;
  t->depth = 1;
  ast::Id& id = t->node.emplace<ast::Primitive>().id;
  id.kind = kind;
  id.span = at;
  return id;
}

Tree Builder::number_id(std::uint32_t value, Span at) {
  const Tree t = trees_.take();
  bare_id(t, ast::IdKind::Number, at).value = value;
  return t;
}

Tree Builder::word_id(ast::IdKind kind, Word word, Span at) {
  const Tree t = trees_.take();
  ast::Id& id = bare_id(t, kind, at);
  id.escaped = word.escaped;
  id.text = word.text();
  return t;
}

Tree Builder::prefix_id(ast::IdKind kind, Word word, std::uint32_t length, Span at) {
  const Tree t = word_id(kind, word, at);
  std::get<ast::Primitive>(t->node).id.value = length;
  return t;
}

Tree Builder::mask_id(Word word, Word mask, Span at) {
  const Tree t = word_id(ast::IdKind::Ipv4Mask, word, at);
  std::get<ast::Primitive>(t->node).id.mask = mask.text();
  return t;
}

Term Builder::accessor(ast::Protocol protocol, Term offset, std::uint32_t size, Span size_span, Span at) {
  const std::uint32_t depth = above(offset->depth, at);
  return term(offset, ast::Accessor{protocol, std::move(*offset), size, size_span}, at, depth);
}

Term Builder::negative(Term operand, Span at) {
  const std::uint32_t depth = above(operand->depth, at);
  return term(operand, ast::Negate{std::move(*operand)}, at, depth);
}

Term Builder::binary(Arith op, Term left, Term right, Span at) {
  const std::uint32_t depth = above(std::max(left->depth, right->depth), at);
  term(left, ast::Binary{op, std::move(*left), std::move(*right)}, at, depth);
  values_.give_back(right);
  return left;
}

Term Builder::parenthesised(Term value, Span at) {
  value->span = at;
  return value;
}

Alternatives* Builder::alternatives(ast::Compare op, std::uint32_t value, Span at) {
  Alternatives* const list = alternatives_.take();
  list->assign({{op, value, at}});
  return list;
}

}  // namespace weir::grammar
