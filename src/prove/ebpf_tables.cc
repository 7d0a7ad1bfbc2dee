// Tables that a program reads in place (codegen/ebpf/map_sets.cc): a number is a member where it stands at one of its places.
// Which numbers do is found by going through all that the table has: any other differs from what is at its place.
//
// What a place is worked out with is followed from instruction to instruction: a product, its upper bits, four times that, the
// sum with the table's address.
// Of the difference between what stands there and the number, it is known only when it is 0.
#include <cstring>
#include <vector>

#include "ebpf/decode.hpp"
#include "prove/ebpf_step.hpp"

namespace weir::prove {
namespace {

namespace op = ebpf::op;

constexpr std::uint32_t entry_bytes = 4, word_bits = 32;

/// The table's numbers, as many as there are places.
std::vector<std::uint32_t> numbers_of(const ebpf::Map& map, std::size_t places) {
  const bool is_table = map.kind == ebpf::MapKind::Array && map.max_entries == 1 && map.values.size() == map.value_bytes;
  if (!is_table || places > map.values.size() / entry_bytes) throw NotUnderstood{};
  std::vector<std::uint32_t> numbers(places);
  std::memcpy(numbers.data(), map.values.data(), places * entry_bytes);
  return numbers;
}

}  // namespace

std::optional<Hash> Stepper::hash_of(const Instruction& i, const Scalar& a, const Scalar& b) const {
  if (!b.low.known) return std::nullopt;
  const std::uint32_t k = *b.low.known;
  const std::uint8_t operation = ebpf::operation(i);
  if (ebpf::class_of(i) == op::ALU && operation == op::MUL) return Hash{a.low, k};
  if (!a.hash || a.hash->in_bytes) return std::nullopt;
  const Hash& h = *a.hash;
  if (ebpf::class_of(i) == op::ALU && operation == op::RSH && h.shift == 0 && k < word_bits) return Hash{h.number, h.multiplier, k};
  if (ebpf::class_of(i) == op::ALU64 && operation == op::LSH && h.shift >= 2 && k == 2 && b.high.known == 0u)
    return Hash{h.number, h.multiplier, h.shift, true};
  return std::nullopt;
}

/// Operations with what is known of tables; nothing where it is none of them.
std::optional<Content> Stepper::with_entries(const Instruction& i, const Content& a, const Content& b) {
  const bool is_64 = ebpf::class_of(i) == op::ALU64;
  if (const auto* table = std::get_if<TablePlace>(&a); table && is_64 && ebpf::operation(i) == op::ADD && is_scalar(b)) {
    const auto& hash = std::get<Scalar>(b).hash;
    if (!table->at && hash && hash->in_bytes) return TablePlace{table->map, hash};
  }
  if (const auto* entry = std::get_if<Entry>(&a); entry && !is_64 && ebpf::operation(i) == op::XOR && is_scalar(b))
    if (std::get<Scalar>(b).low == entry->at.number) return ZeroWhen{is_there(*entry)};
  const auto *x = std::get_if<ZeroWhen>(&a), *y = std::get_if<ZeroWhen>(&b);
  if (x && y && x->is_short && y->is_short && is_64 && ebpf::operation(i) == op::MUL)
    return ZeroWhen{algebra_.either(x->truth, y->truth), false};
  return std::nullopt;
}

Ref Stepper::is_there(const Entry& entry) const {
  const Word& asked = entry.at.number;
  if (entry.map >= p_.maps.size() || asked.swapped == 2) throw NotUnderstood{};
  const std::vector<std::uint32_t> numbers = numbers_of(p_.maps[entry.map], std::size_t{1} << (word_bits - entry.at.shift));
  std::vector<Interval> there;
  for (std::size_t place = 0; place < numbers.size(); ++place) {
    const std::uint32_t x = numbers[place], in_order = asked.swapped == 4 ? __builtin_bswap32(x) : x;
    if (entry.at.of(x) == place) there.push_back({in_order, in_order});
  }
  return algebra_.member(asked.value, Set::join(std::move(there)));
}

}  // namespace weir::prove
