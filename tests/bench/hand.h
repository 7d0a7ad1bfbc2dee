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
/* The same for many packets, whose records are as those of a weir::Packet, or of a weir::PacketView: of smaller ones, the cache holds
 * more. */
struct hand_packet {
  const uint8_t *bytes;
  size_t captured;
  uint64_t rest[4];
};
struct hand_view {
  const uint8_t *bytes;
  uint32_t captured, length;
};
typedef void (*hand_batch)(const void *packets, size_t count, uint64_t *verdicts, const struct hand_hosts *hosts);
struct hand_batches {
  hand_batch loop; /* a function of one packet in a loop, without a call */
  hand_batch flat; /* without branches: none depends on what packets contain, no verdict waits for another one */
};

struct hand_row {
  const char *name;
  hand_filter one;
  struct hand_batches packets, views;
};
extern const struct hand_row hand_rows[];
extern const size_t hand_row_count;

/* Eight packets a step with AVX-512; null where the CPU has none. Names as in hand_rows. */
hand_batch hand_vector(const char *name);
hand_batch hand_vector_views(const char *name);

#ifdef __cplusplus
}
#endif
#endif
