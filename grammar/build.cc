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

Tree bare(ast::Id id) {
  const Span at = id.span;
  return Builder::leaf(ast::Primitive{std::nullopt, std::move(id)}, at);
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

Tree Builder::chain(Tree left, bool is_or, Tree right, Span at) {
  const std::uint32_t depth = std::max(left->depth, right->depth);
  if (!std::holds_alternative<ast::Chain>(left->node)) {
    ast::Chain chain;
    chain.operands.push_back(std::move(*left));
    left->node = std::move(chain);
  }
  auto& chain = std::get<ast::Chain>(left->node);
  chain.operands.push_back(std::move(*right));
  chain.is_or.push_back(is_or);
  left->span = at;
  left->depth = depth;
  return left;
}

Tree Builder::negation(Tree operand, Span at) const {
  const std::uint32_t depth = above(operand->depth, at);
  return tree(ast::Not{std::move(*operand)}, at, depth);
}

Tree Builder::group(Tree inner, Span at) const {
  const std::uint32_t depth = above(inner->depth, at);
  return tree(ast::Group{std::move(*inner)}, at, depth);
}

Tree Builder::qualified(ast::Qualifiers qualifiers, Tree ids, Span at) const {
  if (auto* primitive = std::get_if<ast::Primitive>(&ids->node)) {
    primitive->qualifiers = qualifiers;
    ids->span = at;
    return ids;
  }
  if (auto* group = std::get_if<ast::Group>(&ids->node))
    return tree(ast::QualifiedGroup{qualifiers, std::move(group->inner)}, at, ids->depth);
  const std::uint32_t depth = above(ids->depth, at);
  return tree(ast::QualifiedGroup{qualifiers, std::move(*ids)}, at, depth);
}

Tree Builder::relation(ast::Compare op, ast::Value left, ast::Value right, Span at) const {
  const std::uint32_t depth = above(std::max(left.depth, right.depth), at);
  return tree(ast::Relation{op, std::move(left), std::move(right)}, at, depth);
}

Tree Builder::number_id(std::uint32_t value, Span at) {
  return bare({ast::IdKind::Number, false, value, {}, {}, at});
}

Tree Builder::name_id(Word word, Span at) {
  return bare({ast::IdKind::Name, word.escaped, 0, std::string(word.text), {}, at});
}

Tree Builder::text_id(ast::IdKind kind, std::string_view text, Span at) {
  return bare({kind, false, 0, std::string(text), {}, at});
}

Tree Builder::prefix_id(ast::IdKind kind, std::string_view text, std::uint32_t length, Span at) {
  return bare({kind, false, length, std::string(text), {}, at});
}

Tree Builder::mask_id(std::string_view text, std::string_view mask, Span at) {
  return bare({ast::IdKind::Ipv4Mask, false, 0, std::string(text), std::string(mask), at});
}

ast::Value Builder::accessor(ast::Protocol protocol, ast::Value offset, std::uint32_t size, Span size_span,
                             Span at) const {
  const std::uint32_t depth = above(offset.depth, at);
  return {ast::Accessor{protocol, std::move(offset), size, size_span}, at, depth};
}

ast::Value Builder::negative(ast::Value operand, Span at) const {
  const std::uint32_t depth = above(operand.depth, at);
  return {ast::Negate{std::move(operand)}, at, depth};
}

ast::Value Builder::binary(Arith op, ast::Value left, ast::Value right, Span at) const {
  const std::uint32_t depth = above(std::max(left.depth, right.depth), at);
  return {ast::Binary{op, std::move(left), std::move(right)}, at, depth};
}

ast::Value Builder::parenthesised(ast::Value value, Span at) {
  value.span = at;
  return value;
}

}  // namespace weir::grammar
