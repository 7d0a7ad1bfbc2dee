// The function as a whole: its comment, what it needs before it, its head.
#include "c/emit.hpp"

#include <fmt/format.h>

#include "c/body.hpp"

namespace weir::c {
namespace {

constexpr std::string_view metadata_struct =
    R"(/* What the kernel knows of a packet besides its bytes. */
struct weir_metadata {
    uint32_t protocol;         /* EtherType */
    uint32_t packet_type;      /* PACKET_HOST ... PACKET_OUTGOING of <linux/if_packet.h> */
    uint32_t interface_index;
    uint32_t vlan_tag;         /* the TCI of a tag that was taken out of the packet */
    uint32_t vlan_tag_present; /* 1 when there is such a tag */
    uint32_t vlan_protocol;    /* the TPID of that tag */
};

)";

struct Function {
  bool Needs::*needed;
  std::string_view text;
};
constexpr Function functions[] = {
    {&Needs::u8, "static uint32_t weir_u8(const uint8_t *p)\n{\n    return p[0];\n}\n\n"},
    {&Needs::be16, "static uint32_t weir_be16(const uint8_t *p)\n{\n    return (uint32_t)p[0] << 8 | p[1];\n}\n\n"},
    {&Needs::be32,
     "static uint32_t weir_be32(const uint8_t *p)\n{\n    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << "
     "8 | p[3];\n}\n\n"},
    {&Needs::shl, "static uint32_t weir_shl(uint32_t a, uint32_t by)\n{\n    return by < 32 ? a << by : 0;\n}\n\n"},
    {&Needs::shr, "static uint32_t weir_shr(uint32_t a, uint32_t by)\n{\n    return by < 32 ? a >> by : 0;\n}\n\n"},
    {&Needs::points,
     R"(/* Whether a number is one of those in a table, which ascend. */
static int weir_in_points(const uint32_t *table, size_t count, uint32_t value)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (table[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && table[low] == value;
}

)"},
    {&Needs::ranges,
     R"(/* Whether a number lies in one of the ranges of a table, which ascend; both ends belong to them. */
static int weir_in_ranges(const uint32_t (*table)[2], size_t count, uint32_t value)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (table[middle][1] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && table[low][0] <= value;
}

)"}};

/// The filter as a comment: all its lines, unless they are many.
std::string heading(std::string_view filter) {
  const std::string words = comment_text(filter);
  return fmt::format("/* Made by weir: {}{} */\n#include <stddef.h>\n#include <stdint.h>\n\n",
                     words.empty() ? "all packets" : "the filter ", words);
}

std::string signature(const Needs& needs) {
  std::string text =
      "/* How many bytes to keep of a packet; 0: the filter rejects it. `captured` bytes of it are there, of `length` on the wire. */\n"
      "uint32_t weir_filter(const uint8_t *packet, size_t captured, uint32_t length";
  return text + (needs.metadata ? ", const struct weir_metadata *metadata)\n{\n" : ")\n{\n");
}

/// Parameters that the filter has no use for.
std::string unused(const Needs& needs) {
  std::string text;
  if (!needs.packet) text += "    (void)packet;\n";
  if (!needs.captured) text += "    (void)captured;\n";
  if (!needs.length) text += "    (void)length;\n";
  return text;
}

}  // namespace

Result<std::string> emit(const ir::Program& p, std::string_view filter) {
  const ir::Program compact = ir::compact(p);
  Needs needs;
  const auto body = body_of(compact, filter, needs);
  if (!body) return fail(Code::TooLarge, {}, "the C text of the filter would be longer than 64 MiB");
  std::string text = heading(filter);
  if (needs.metadata) text += metadata_struct;
  for (const Function& f : functions)
    if (needs.*f.needed) text += f.text;
  text += needs.tables + signature(needs);
  const std::string before = body->declarations + unused(needs);
  return text + before + (before.empty() ? "" : "\n") + body->statements + "}\n";
}

}  // namespace weir::c
