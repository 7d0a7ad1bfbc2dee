#include "resolve/site.hpp"

#include <fmt/format.h>

namespace weir::resolve {

ValueId field(const Site& s, Offset header, std::uint32_t offset, std::uint32_t size) {
  return s.filter.load(size, header.variable, header.constant + offset);
}

std::optional<ValueId> shown_by_kernel(const Site& s, std::uint32_t offset, std::uint32_t size) {
  const wire::Layout& layout = s.layers.layout();
  for (const wire::KernelField& f : layout.kernel_fields)
    if (f.offset == offset && f.size == size) return s.filter.meta(f.meta);
  if (offset >= layout.payload) return s.filter.load(size, pred::no_value, offset - layout.payload);
  return std::nullopt;
}

ValueId in_link_header(const Site& s, std::uint32_t offset, std::uint32_t size) {
  if (s.layers.cooked)
    if (const auto known = shown_by_kernel(s, offset, size)) return *known;
  return field(s, s.layers.link_header, offset, size);
}

ValueId packet_length(const Site& s) {
  if (!s.target.cooked) return s.filter.length();
  return s.filter.binary(Arith::Add, s.filter.length(), s.filter.constant(s.target.link_type->layout.payload));
}

ValueId in_type_field(const Site& s, std::uint32_t offset, std::uint32_t size) {
  if (s.layers.cooked) return in_link_header(s, s.layers.layout().type_offset + offset, size);
  return field(s, s.layers.type, offset, size);
}

ValueId in_llc(const Site& s, std::uint32_t offset, std::uint32_t size) {
  return field(s, s.layers.payload, offset, size);
}

ValueId in_network(const Site& s, std::uint32_t offset, std::uint32_t size) {
  return field(s, s.layers.payload, s.layers.network + offset, size);
}

ValueId in_network_no_snap(const Site& s, std::uint32_t offset, std::uint32_t size) {
  return field(s, s.layers.payload, s.layers.network_no_snap + offset, size);
}

ValueId in_ipv4_payload(const Site& s, std::uint32_t offset, std::uint32_t size) {
  return field(s, ipv4_payload(s), offset, size);
}

ValueId in_ipv6_payload(const Site& s, std::uint32_t offset, std::uint32_t size) {
  return field(s, network_header(s.layers), ipv6_header + offset, size);
}

Offset network_header(const Layers& layers) {
  return {layers.payload.variable, layers.payload.constant + layers.network};
}

Offset ipv4_payload(const Site& s) {
  pred::Filter& f = s.filter;
  const Offset header = network_header(s.layers);
  const ValueId words = f.binary(Arith::And, in_network(s, 0, 1), f.constant(0xf));
  const ValueId length = f.binary(Arith::Lsh, words, f.constant(2));
  if (header.variable == pred::no_value) return {length, header.constant};
  return {f.binary(Arith::Add, length, header.variable), header.constant};
}

ExprId truth(const Site& s, bool value) { return s.filter.truth(value); }

ExprId test(const Site& s, Relation op, ValueId a, std::uint32_t k) {
  return s.filter.compare(op, a, s.filter.constant(k), s.span);
}

ExprId equals(const Site& s, ValueId v, std::uint32_t k) { return test(s, Relation::Equal, v, k); }
ExprId at_most(const Site& s, ValueId v, std::uint32_t k) { return no(s, test(s, Relation::Greater, v, k)); }
ExprId at_least(const Site& s, ValueId v, std::uint32_t k) { return test(s, Relation::GreaterEqual, v, k); }

ExprId masked(const Site& s, ValueId v, std::uint32_t mask, std::uint32_t k) {
  if (mask == 0) return truth(s, k == 0);
  if (mask == 0xffffffff) return equals(s, v, k);
  return equals(s, s.filter.binary(Arith::And, v, s.filter.constant(mask)), k);
}

ExprId any_bit(const Site& s, ValueId v, std::uint32_t bits) { return test(s, Relation::Bits, v, bits); }

ExprId bytes_equal(const Site& s, Offset header, std::uint32_t offset, std::span<const std::uint8_t> bytes) {
  std::vector<ExprId> words;
  std::size_t left = bytes.size();
  while (left > 0) {
    const std::size_t size = left >= 4 ? 4 : left >= 2 ? 2 : 1;
    left -= size;
    std::uint32_t k = 0;
    for (std::size_t i = 0; i < size; ++i) k = k << 8 | bytes[left + i];
    words.push_back(equals(s, field(s, header, offset + static_cast<std::uint32_t>(left),
                                    static_cast<std::uint32_t>(size)), k));
  }
  return all(s, words);
}

ExprId no(const Site& s, ExprId e) { return s.filter.negation(e, s.span); }

std::unexpected<Diagnostic> not_on_link_type(const Site& s, std::string_view words) {
  return fail(Code::LinkType, s.span, fmt::format("'{}' not supported on DLT_{} ({})", words, s.layers.link->name,
                                                  s.layers.link->description),
              fmt::format("on {} filters can ask for: {}", s.layers.link->name, wire::families(s.layers.layout())));
}

std::unexpected<Diagnostic> not_shown_by_kernel(Span span) {
  return fail(Code::LinkType, span, "the kernel does not show this part of a cooked header to a filter",
              "what it shows is the packet type, the protocol, with LINUX_SLL2 the interface, and all bytes behind the header");
}

std::unexpected<Diagnostic> invalid_qualifier(Span span, std::string_view qualifier, std::string_view what) {
  return fail(Code::Qualifier, span, fmt::format("'{}' is not a valid qualifier for '{}'", qualifier, what));
}

std::unexpected<Diagnostic> out_of_range(Span span, std::string_view what, std::uint32_t value, std::uint32_t maximum) {
  return fail(Code::Range, span, fmt::format("{} {} greater than maximum {}", what, value, maximum),
              fmt::format("allowed are 0 to {}", maximum));
}

}  // namespace weir::resolve
