#include <fmt/format.h>

#include "resolve/families.hpp"
#include "wire/pf.hpp"

namespace weir::resolve {
namespace {

using ast::PfField;

constexpr const char* field_names[] = {"ifname", "ruleset", "rnr", "srnr", "reason", "action"};

Test name_at(const Site& s, const ast::WordOrNumber& w, std::uint32_t offset, std::string_view what) {
  if (w.word.size() >= wire::pf::name_size)
    return fail(Code::Range, w.span, fmt::format("{} can only be {} characters", what, wire::pf::name_size - 1));
  return bytes_equal(s, s.layers.link_header, offset, {reinterpret_cast<const std::uint8_t*>(w.word.data()), w.word.size()});
}

/// libpcap looks at the number of a `reason` as it is, though it has but one byte.
Test coded(const Site& s, const ast::WordOrNumber& w, std::uint32_t offset, std::optional<std::uint32_t> code, const char* what,
           std::string words) {
  if (w.number) code = w.number;
  if (!code)
    return fail(Code::Name, w.span, fmt::format("unknown PF {} \"{}\"", what, w.word), fmt::format("{}s are {}", what, words));
  return equals(s, in_link_header(s, offset, 1), *code);
}

}  // namespace

Test pf(const Site& s, const ast::Pf& p) {
  // A word that is none is refused wherever it stands.
  if (p.field == PfField::Reason && !p.value.number && !wire::pf::reason_code(p.value.word))
    return coded(s, p.value, 0, std::nullopt, "reason", wire::pf::reason_words());
  if (p.field == PfField::Action && !wire::pf::action_code(p.value.word))
    return coded(s, p.value, 0, std::nullopt, "action", wire::pf::action_words());
  if (!s.layers.layout().pf)
    return fail(Code::LinkType, s.span, fmt::format("'{}' supported only on PFLOG linktype", field_names[static_cast<int>(p.field)]),
                p.field == PfField::Ifname ? "in a live capture 'ifindex 2' asks for an interface, by its number"
                                             : "the words of pf are for what its log interface gives, of the link type PFLOG");
  switch (p.field) {
    case PfField::Ifname: return name_at(s, p.value, wire::pf::interface, "ifname interface names");
    case PfField::Ruleset: return name_at(s, p.value, wire::pf::ruleset, "ruleset names");
    case PfField::Rulenum: return equals(s, in_link_header(s, wire::pf::rule, 4), *p.value.number);
    case PfField::Subrulenum: return equals(s, in_link_header(s, wire::pf::subrule, 4), *p.value.number);
    case PfField::Reason: return coded(s, p.value, wire::pf::reason, wire::pf::reason_code(p.value.word), "reason", {});
    case PfField::Action: return coded(s, p.value, wire::pf::action, wire::pf::action_code(p.value.word), "action", {});
  }
  return truth(s, false);
}

}  // namespace weir::resolve
