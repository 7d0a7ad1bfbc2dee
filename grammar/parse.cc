#include "grammar/parse.hpp"

#include <limits>
#include <string>

#include "grammar/attempt.hpp"
#include "grammar/hints.hpp"
#include "grammar/lexer.hpp"
#include "grammar/parser.hpp"
#include "grammar/refusal.hpp"

namespace weir::grammar {

Result<ast::Expr> attempt(std::string_view text, const Limits& limits) try {
  const std::string buffer(text);  // the lexer wants a zero byte behind the last character
  Lexer lexer(buffer);
  Builder builder(limits, text.size());
  ast::Expr result;
  Parser(lexer, builder, result).parse();
  return result;
} catch (Refusal& refusal) {
  return std::unexpected(std::move(refusal.diagnostic));
}

Result<ast::Expr> parse(std::string_view text, const Limits& limits) {
  if (text.size() >= std::numeric_limits<std::uint32_t>::max())
    return fail(Code::TooLarge, {}, "the expression is longer than 4 GiB");
  auto result = attempt(text, limits);
  if (!result && result.error().message.empty()) return std::unexpected(explain(text, result.error().span));
  return result;
}

}  // namespace weir::grammar
