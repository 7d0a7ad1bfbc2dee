// A tree on one line, for tables: children in braces.
#pragma once
#include <string>

#include "ast/expr.hpp"
#include "grammar/parse.hpp"

namespace weir::grammar {

inline std::string one_line(const ast::Expr& e) {
  std::string out;
  std::size_t depth = 0;
  const std::string dump = to_string(e);
  for (std::size_t begin = 0; begin < dump.size();) {
    const std::size_t end = dump.find('\n', begin);
    const std::size_t word = dump.find_first_not_of(' ', begin);
    const std::size_t indent = (word - begin) / 2;
    if (indent > depth) out += '{';
    if (indent <= depth && !out.empty()) out += std::string(depth - indent, '}') + ", ";
    depth = indent;
    out += dump.substr(word, end - word);
    begin = end + 1;
  }
  return out + std::string(depth, '}');
}

/// The tree of a filter, or its error.
inline std::string parsed(std::string_view text) {
  const Result<ast::Expr> e = parse(text);
  return e ? one_line(*e) : "error: " + e.error().message;
}

inline std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace weir::grammar
