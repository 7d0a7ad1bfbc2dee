/* Filters as a C programmer writes them by hand: what native code is measured against. Full packets get the filter's
 * verdict; of cut ones only those are right that have all bytes that a filter looks at. */
#ifndef WEIR_BENCH_HAND_H
#define WEIR_BENCH_HAND_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* Addresses as they lie in packets. Made by hand_hosts_new, never full, perfect: each address has a place of its own. */
struct hand_hosts {
  uint64_t multiplier;
  uint32_t slot_shift, bucket_shift, mask;
  uint32_t *keys;
  uint16_t *displacements; /* null: one multiplication finds the place */
};
struct hand_hosts *hand_hosts_new(const uint32_t *addresses, size_t count);
void hand_hosts_free(struct hand_hosts *);

typedef int (*hand_filter)(const uint8_t *packet, size_t captured, const struct hand_hosts *hosts);
/* The same for many packets. Records are as large as a weir::Packet: with smaller ones, the cache holds more of them. */
struct hand_packet {
  const uint8_t *bytes;
  size_t captured;
  uint64_t rest[4];
};
typedef void (*hand_batch)(const struct hand_packet *packets, size_t count, uint64_t *verdicts, const struct hand_hosts *hosts);

struct hand_row {
  const char *name;
  hand_filter one;
  hand_batch loop; /* `one` in a loop, without a call */
  hand_batch flat; /* without branches: none depends on what packets contain, no verdict waits for another one */
};
extern const struct hand_row hand_rows[];
extern const size_t hand_row_count;

/* Eight packets a step with AVX-512; null where the CPU has none. Names as in hand_rows. */
hand_batch hand_vector(const char *name);

#ifdef __cplusplus
}
#endif
#endif
