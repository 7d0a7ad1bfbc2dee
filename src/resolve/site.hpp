// What a primitive is resolved with, and the fields and tests that all families build from.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "names/names.hpp"
#include "pred/filter.hpp"
#include "resolve/layers.hpp"
#include "wire/target.hpp"

namespace weir::resolve {

using pred::ExprId;
using pred::ValueId;

/// One place in the filter: the pool to build in, what is known there, and the words it stands for.
struct Site {
  pred::Filter& filter;
  const wire::Target& target;
  const names::Names& names;
  const Limits& limits;
  const Layers& layers;
  Span span;
};

// Fields: `size` bytes, `offset` bytes into a header.
ValueId field(const Site& s, Offset header, std::uint32_t offset, std::uint32_t size);
ValueId in_link_header(const Site& s, std::uint32_t offset, std::uint32_t size);
/// The same in front of a packet that has no such header: from what the kernel knows; nothing where it does not.
std::optional<ValueId> shown_by_kernel(const Site& s, std::uint32_t offset, std::uint32_t size);
/// On the wire, with a cooked header where that is part of what is captured.
ValueId packet_length(const Site& s);
ValueId in_type_field(const Site& s, std::uint32_t offset, std::uint32_t size);
ValueId in_llc(const Site& s, std::uint32_t offset, std::uint32_t size);
ValueId in_network(const Site& s, std::uint32_t offset, std::uint32_t size);
ValueId in_network_no_snap(const Site& s, std::uint32_t offset, std::uint32_t size);
ValueId in_ipv4_payload(const Site& s, std::uint32_t offset, std::uint32_t size);
ValueId in_ipv6_payload(const Site& s, std::uint32_t offset, std::uint32_t size);

/// Where the network header starts, and the payload of an IPv4 header (its length is in its first byte, RFC 791 §3.1).
Offset network_header(const Layers& layers);
Offset ipv4_payload(const Site& s);
/// Length of the fixed IPv6 header, RFC 8200 §3.
inline constexpr std::uint32_t ipv6_header = 40;

// Tests.
ExprId truth(const Site& s, bool value);
ExprId test(const Site& s, Relation op, ValueId a, std::uint32_t k);
ExprId equals(const Site& s, ValueId v, std::uint32_t k);
ExprId at_most(const Site& s, ValueId v, std::uint32_t k);
ExprId at_least(const Site& s, ValueId v, std::uint32_t k);
/// (v & mask) == k; without a load where the mask is 0.
ExprId masked(const Site& s, ValueId v, std::uint32_t mask, std::uint32_t k);
/// (v & bits) != 0.
ExprId any_bit(const Site& s, ValueId v, std::uint32_t bits);
/// The bytes at `offset` of a header are these; compared in words from the last to the first, as libpcap does.
ExprId bytes_equal(const Site& s, Offset header, std::uint32_t offset, std::span<const std::uint8_t> bytes);
ExprId no(const Site& s, ExprId e);
inline ExprId all(const Site& s, std::span<const ExprId> operands) { return s.filter.all(operands, s.span); }
inline ExprId any(const Site& s, std::span<const ExprId> operands) { return s.filter.any(operands, s.span); }
inline ExprId all(const Site& s, std::initializer_list<ExprId> operands) { return s.filter.all(operands, s.span); }
inline ExprId any(const Site& s, std::initializer_list<ExprId> operands) { return s.filter.any(operands, s.span); }

// Errors that several families give.
std::unexpected<Diagnostic> not_on_link_type(const Site& s, std::string_view words);
std::unexpected<Diagnostic> not_shown_by_kernel(Span span);
std::unexpected<Diagnostic> invalid_qualifier(Span span, std::string_view qualifier, std::string_view what);
std::unexpected<Diagnostic> out_of_range(Span span, std::string_view what, std::uint32_t value, std::uint32_t maximum);

/// Returns out of the function with the error of a Result.
#define WEIR_TRY(name, expression)                      \
  auto name##_result = (expression);                    \
  if (!name##_result) return std::unexpected(std::move(name##_result.error())); \
  auto name = std::move(*name##_result)

}  // namespace weir::resolve
