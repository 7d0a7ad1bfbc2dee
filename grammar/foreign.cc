#include "grammar/foreign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "grammar/attempt.hpp"
#include "grammar/keywords.hpp"
#include "grammar/refusal.hpp"

namespace weir::grammar {
namespace {

enum class Form { Word, Named, Number, Flag };

struct Row {
  std::string_view word;
  Form form;
  std::string_view here;
};
constexpr Row rows[] = {
#define WEIR_FOREIGN(word, form, here) {word, Form::form, here},
#include "grammar/foreign.def"
#undef WEIR_FOREIGN
};

const Row* find(std::string_view word) {
  const auto found = std::ranges::find(rows, word, &Row::word);
  return found == std::end(rows) ? nullptr : found;
}

/// Wireshark's words for comparing, and ours for it; none for what cannot be said here.
struct Operator {
  std::string_view word, here;
};
constexpr Operator operators[] = {
    {"==", "="}, {"=", "="},  {"eq", "="}, {"!=", "!="}, {"ne", "!="}, {">", ">"},       {"gt", ">"},     {"<", "<"},
    {"lt", "<"}, {">=", ">="}, {"ge", ">="}, {"<=", "<="}, {"le", "<="}, {"in", ""}, {"contains", ""}, {"matches", ""}, {"~", ""},
};

const Operator* find_operator(std::string_view word) {
  const auto found = std::ranges::find(operators, word, &Operator::word);
  return found == std::end(operators) ? nullptr : found;
}

std::string_view lead(std::string_view word) { return word.substr(0, word.find('.')); }

/// `http.request`, `tcp.analysis.flags`: a protocol that is known here, and more.
bool looks_like_field(std::string_view word) {
  const std::string_view first = lead(word);
  const bool is_address = word.find_first_not_of("0123456789.") == word.npos;
  if (first.size() == word.size() || is_address) return false;
  return find_keyword(first) || find(first) || first == "frame" || first == "eth";
}

/// A display filter's test: FIELD, FIELD OPERATOR VALUE, FIELD in {VALUE …}.
struct Comparison {
  std::string_view field;
  const Operator* op = nullptr;
  std::string_view value;  ///< with the braces of a set
  Span span;
};

Comparison comparison(std::string_view text, const Place& p) {
  Comparison c{.field = p.token.text, .op = find_operator(p.next.text), .value = {}, .span = p.token.span};
  if (!c.op) return c;
  c.span.end = p.next.span.end;
  const std::size_t begin = text.find_first_not_of(" \t\r\n", p.next.span.end);
  if (begin == text.npos) return c;
  const bool is_set = text[begin] == '{';
  const std::size_t stop = text.find_first_of(is_set ? "}" : " \t\r\n()&|", begin);
  const std::size_t end = stop == text.npos ? text.size() : stop + is_set;
  c.value = text.substr(begin, end - begin);
  c.span.end = static_cast<std::uint32_t>(end);
  return c;
}

/// `{80, 443}` as `(80 or 443)`.
std::string alternatives(std::string_view set) {
  std::string list;
  for (std::size_t at = 1; at < set.size();) {
    const std::size_t end = std::min(set.find_first_of(" ,}", at), set.size());
    if (end > at) list += fmt::format("{}{}", list.empty() ? "" : " or ", set.substr(at, end - at));
    at = end + 1;
  }
  return fmt::format("({})", list);
}

std::string filled(std::string_view pattern, std::string_view value) { return fmt::format(fmt::runtime(pattern), value); }

std::string named(const Row& row, const Comparison& c) {
  const bool set = c.op->word == "in" && c.value.starts_with('{');
  const bool negated = c.op->here == "!=";
  if (!set && c.op->here != "=" && !negated) return {};
  if (set && c.value.find_first_of("-") != c.value.npos) return {};  // ranges have a word of their own here
  if (c.value.find("..") != c.value.npos) return {};
  std::string here = filled(row.here, set ? alternatives(c.value) : std::string(c.value));
  if (c.value.find('/') != c.value.npos) {  // a prefix is a network
    if (const auto at = here.find("host "); at != here.npos) here.replace(at, 4, "net");
  }
  return negated ? "not " + here : here;
}

std::string flag(const Row& row, const Comparison& c) {
  if (!c.op) return filled(row.here, "!= 0");
  const bool set = c.value == "1" || c.value == "true" || c.value == "True";
  const bool clear = c.value == "0" || c.value == "false" || c.value == "False";
  if ((!set && !clear) || (c.op->here != "=" && c.op->here != "!=")) return {};
  return filled(row.here, set == (c.op->here == "=") ? "!= 0" : "= 0");
}

/// What it reads here; empty where nothing can be said in general.
std::string translated(const Row& row, const Comparison& c) {
  switch (row.form) {
    case Form::Word: return std::string(row.here);
    case Form::Flag: return flag(row, c);
    case Form::Named: return c.op ? named(row, c) : std::string();
    case Form::Number: return c.op && !c.op->here.empty() ? filled(row.here, fmt::format("{} {}", c.op->here, c.value)) : std::string();
  }
  return {};
}

bool is_search(std::string_view word) { return word == "contains" || word == "matches" || word == "~"; }

std::string advice(std::string_view op) {
  if (is_search(op))
    return "filters here compare bytes at a known place and search nothing: tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420 is a TCP "
           "payload that begins with \"GET \"";
  return "filters here name addresses, ports and protocols, as in 'host 10.0.0.1 and tcp port 80', or compare bytes of a header, as "
         "in 'ip[8] < 5'";
}

/// The row of a field whose name is two words, with the protocol first: `ip ttl`.
const Row* find_two_words(const Place& p) {
  return is<Kind::S_PROTOCOL>(p.prev) ? find(fmt::format("{} {}", p.prev.text, p.token.text)) : nullptr;
}

/// `ttl < 5`, `ip ttl 5`: a number by a name, compared or not.
Diagnostic number_by_name(std::string_view text, const Place& p, const Row& row, const Token& first) {
  Comparison c = comparison(text, p);
  if (!c.op && is<Kind::S_NUM>(p.next)) {
    c.op = find_operator("=");
    c.value = p.next.text;
    c.span.end = p.next.span.end;
  }
  c.span.begin = first.span.begin;
  std::string here = translated(row, c);
  if (here.empty() || here.size() > 1000 || !attempt(here, {})) here = row.here.substr(0, row.here.find(" {}"));
  const auto message = first.span == p.token.span ? fmt::format("syntax error: '{}' is no keyword", p.token.text)
                                                  : fmt::format("syntax error: unexpected '{}'", p.token.text);
  return {Code::Syntax, c.span, message, fmt::format("here that is '{}'", here)};
}

Diagnostic display_filter(std::string_view text, const Place& p, const Row* row) {
  const Comparison c = comparison(text, p);
  const std::string here = row ? translated(*row, c) : std::string();
  const bool valid = !here.empty() && here.size() < 1000 && attempt(here, {}).has_value();
  const std::string message = fmt::format("syntax error: '{}' is a field of Wireshark's display filters", quotable(c.field));
  return {Code::Syntax, c.span, message, valid ? fmt::format("here that is '{}'", here) : advice(p.next.text)};
}

std::optional<Diagnostic> at_token(std::string_view text, const Place& p) {
  if (const Row* row = find_two_words(p)) return number_by_name(text, p, *row, p.prev);
  if (!is<Kind::S_NAME>(p.token) || p.token.text.starts_with('\\')) return std::nullopt;
  if (is_search(p.token.text) && ends_term(p.prev))
    return Diagnostic{Code::Syntax, p.token.span, fmt::format("syntax error: '{}' is no keyword", p.token.text), advice(p.token.text)};
  if (is_search(p.next.text) && is_start(p.prev))
    return Diagnostic{Code::Syntax, p.next.span, fmt::format("syntax error: '{}' is no keyword", p.next.text), advice(p.next.text)};
  const Row* row = find(p.token.text);
  if (row && row->form == Form::Number && p.token.text.find('.') == p.token.text.npos) return number_by_name(text, p, *row, p.token);
  if (row && row->form == Form::Word)
    return Diagnostic{Code::Syntax, p.token.span, fmt::format("syntax error: '{}' is no keyword", p.token.text),
                      fmt::format("here that is '{}'", row->here)};
  if (row || looks_like_field(p.token.text)) return display_filter(text, p, row);
  return std::nullopt;
}

}  // namespace

std::optional<Diagnostic> foreign(std::string_view text, const Place& p) {
  // As a name the word is right: after a qualifier. After a joint it was taken for one.
  // Behind an id `to` is part of something else.
  if (!is_qualifier(p.prev) && !wants_number(p.prev) && !is_id(p.prev))
    if (auto here = at_token(text, p)) return here;
  if (is_start(p.before) && p.prev.kind != Kind::S_YYEMPTY) return at_token(text, p.back());
  return std::nullopt;
}

std::string_view foreign_word(std::string_view word) {
  const Row* row = find(word);
  return row && row->form == Form::Word ? row->here : std::string_view();
}

}  // namespace weir::grammar
