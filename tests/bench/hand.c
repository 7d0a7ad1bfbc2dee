#include "hand.h"

#include <stdlib.h>
#include <string.h>

/* ---- bytes ---------------------------------------------------------------------------------------------- */

static inline uint16_t u16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return v; }
static inline uint32_t u32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
#define NET16(k) ((uint16_t)__builtin_bswap16(k))
#define NET32(k) ((uint32_t)__builtin_bswap32(k))
#define IP NET16(0x0800)
#define IP6 NET16(0x86dd)
#define ARP NET16(0x0806)
#define RARP NET16(0x8035)
#define FRAGMENT NET16(0x1fff)

enum { ETHERNET = 14, FIXED = ETHERNET + 20 };
static inline size_t ip_length(const uint8_t *p) { return (size_t)(p[ETHERNET] & 15) * 4; }

/* ---- sets of addresses ------------------------------------------------------------------------------------ */

static uint64_t next_multiplier(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) | 1;
}

static inline uint32_t place_of(const struct hand_hosts *h, uint32_t key) {
  if (!h->displacements) return (uint32_t)(key * (uint32_t)h->multiplier) >> h->slot_shift;
  const uint64_t product = key * h->multiplier;
  return ((uint32_t)(product >> 24) ^ h->displacements[product >> h->bucket_shift]) & h->mask;
}
/* Lists of two sizes have functions of their own, so that neither asks at run time which it is. */
static inline int has_few(const struct hand_hosts *h, uint32_t key) {
  return h->keys[(uint32_t)(key * (uint32_t)h->multiplier) >> h->slot_shift] == key;
}
static inline int has_many(const struct hand_hosts *h, uint32_t key) {
  const uint64_t product = key * h->multiplier;
  return h->keys[((uint32_t)(product >> 24) ^ h->displacements[product >> h->bucket_shift]) & h->mask] == key;
}

/* Places of no address hold one that belongs elsewhere. */
static void fill(struct hand_hosts *h, const uint32_t *a, size_t n, size_t slots) {
  for (size_t i = 0; i < slots; ++i) h->keys[i] = a[0];
  for (size_t i = 0; i < n; ++i) h->keys[place_of(h, a[i])] = a[i];
}

static int try_single(struct hand_hosts *h, const uint32_t *a, size_t n, uint32_t bits, uint64_t *state) {
  const size_t slots = (size_t)1 << bits;
  uint8_t *taken = calloc(slots, 1);
  size_t i = 0;
  h->multiplier = next_multiplier(state) & 0xffffffffu;
  h->slot_shift = 32 - bits;
  while (i < n && !taken[place_of(h, a[i])]) taken[place_of(h, a[i++])] = 1;
  free(taken);
  return i == n;
}

/* Puts the addresses of one bucket where there is room for all. */
static int displace(struct hand_hosts *h, const uint32_t *a, const uint32_t *members, size_t count, uint32_t bucket, uint8_t *taken) {
  for (uint32_t d = 0; d <= 0xffff; ++d) {
    size_t i = 0;
    h->displacements[bucket] = (uint16_t)d;
    while (i < count && !taken[place_of(h, a[members[i]])]) taken[place_of(h, a[members[i++]])] = 1;
    if (i == count) return 1;
    while (i > 0) taken[place_of(h, a[members[--i]])] = 0;
  }
  return 0;
}

static int try_displaced(struct hand_hosts *h, const uint32_t *a, size_t n, uint32_t bits, uint64_t *state) {
  enum { MOST_MEMBERS = 32 };
  const uint32_t bucket_bits = bits - 2;
  const size_t buckets = (size_t)1 << bucket_bits;
  uint32_t *members = malloc(buckets * MOST_MEMBERS * sizeof *members);
  uint8_t *counts = calloc(buckets, 1), *taken = calloc((size_t)1 << bits, 1);
  int good = 1;
  h->multiplier = next_multiplier(state);
  h->bucket_shift = 64 - bucket_bits;
  h->mask = (1u << bits) - 1;
  for (size_t i = 0; i < n && good; ++i) {
    const size_t b = (a[i] * h->multiplier) >> h->bucket_shift;
    good = counts[b] < MOST_MEMBERS;
    if (good) members[b * MOST_MEMBERS + counts[b]++] = (uint32_t)i;
  }
  for (int size = MOST_MEMBERS; size > 0 && good; --size)
    for (uint32_t b = 0; b < buckets && good; ++b)
      if (counts[b] == size) good = displace(h, a, members + (size_t)b * MOST_MEMBERS, counts[b], b, taken);
  free(members);
  free(counts);
  free(taken);
  return good;
}

struct hand_hosts *hand_hosts_new(const uint32_t *a, size_t n) {
  struct hand_hosts *h = calloc(1, sizeof *h);
  uint64_t state = 1;
  uint32_t bits = 1;
  while (((size_t)1 << bits) < n * 5 / 4 + 1) ++bits;
  for (uint32_t b = bits; n <= 400 && b <= 12; ++b)
    for (int attempt = 0; attempt < 1000; ++attempt)
      if (try_single(h, a, n, b, &state)) {
        h->keys = malloc(sizeof *h->keys << b);
        fill(h, a, n, (size_t)1 << b);
        return h;
      }
  h->displacements = calloc((size_t)1 << bits, sizeof *h->displacements);
  while (!try_displaced(h, a, n, bits, &state)) {}
  h->keys = malloc(sizeof *h->keys << bits);
  fill(h, a, n, (size_t)1 << bits);
  return h;
}

void hand_hosts_free(struct hand_hosts *h) {
  if (!h) return;
  free(h->keys);
  free(h->displacements);
  free(h);
}

/* ---- one packet a call -------------------------------------------------------------------------------------- */

#define UNUSED (void)hosts

static int ip(const uint8_t *p, size_t n, const struct hand_hosts *hosts) { UNUSED; return n >= ETHERNET && u16(p + 12) == IP; }

static int tcp_port_80(const uint8_t *p, size_t n, const struct hand_hosts *hosts) {
  UNUSED;
  if (n < FIXED) return 0;
  if (u16(p + 12) == IP) {
    if (p[23] != 6 || u16(p + 20) & FRAGMENT) return 0;
    const size_t l = ip_length(p);
    if (n < ETHERNET + l + 4) return 0;
    return (u16(p + ETHERNET + l) == NET16(80)) | (u16(p + ETHERNET + l + 2) == NET16(80));
  }
  if (u16(p + 12) != IP6 || n < 58 || p[20] != 6) return 0;
  return (u16(p + 54) == NET16(80)) | (u16(p + 56) == NET16(80));
}

static int host_and_port(const uint8_t *p, size_t n, const struct hand_hosts *hosts) {
  UNUSED;
  if (n < FIXED || u16(p + 12) != IP) return 0;
  if (!((u32(p + 26) == NET32(0x0a010203)) | (u32(p + 30) == NET32(0x0a010203)))) return 0;
  if (p[23] != 6 || u16(p + 20) & FRAGMENT) return 0;
  const size_t l = ip_length(p);
  if (n < ETHERNET + l + 4) return 0;
  return (u16(p + ETHERNET + l) == NET16(443)) | (u16(p + ETHERNET + l + 2) == NET16(443));
}

static int syn_or_fin(const uint8_t *p, size_t n, const struct hand_hosts *hosts) {
  UNUSED;
  if (n < FIXED || u16(p + 12) != IP || p[23] != 6 || u16(p + 20) & FRAGMENT) return 0;
  const size_t l = ip_length(p);
  if (n < ETHERNET + l + 14 || !(p[ETHERNET + l + 13] & 3)) return 0;
  return !((p[26] == 10) & (p[30] == 10));
}

static int http(const uint8_t *p, size_t n, const struct hand_hosts *hosts) {
  UNUSED;
  if (n < FIXED || u16(p + 12) != IP || p[23] != 6 || u16(p + 20) & FRAGMENT) return 0;
  const size_t l = ip_length(p);
  if (n < ETHERNET + l + 13) return 0;
  if (!((u16(p + ETHERNET + l) == NET16(80)) | (u16(p + ETHERNET + l + 2) == NET16(80)))) return 0;
  return (uint32_t)(__builtin_bswap16(u16(p + 16)) - l) != (uint32_t)(p[ETHERNET + l + 12] & 0xf0) >> 2;
}

static int ip6_udp_53(const uint8_t *p, size_t n, const struct hand_hosts *hosts) {
  UNUSED;
  if (n < 58 || u16(p + 12) != IP6 || p[20] != 17) return 0;
  return (u16(p + 54) == NET16(53)) | (u16(p + 56) == NET16(53));
}

/* A bit for each port, as it lies in packets: one look instead of several comparisons. */
static uint64_t port_bits[1024];
static inline int in_ports(uint16_t port) { return (int)(port_bits[port / 64] >> port % 64 & 1); }
__attribute__((constructor)) static void make_port_bits(void) {
  for (uint32_t k = 0; k < 0x10000; ++k)
    if ((k >= 6000 && k <= 6063) || k == 53 || k == 123) port_bits[NET16(k) / 64] |= (uint64_t)1 << NET16(k) % 64;
}
static inline int has_ports(uint8_t protocol) { return (protocol == 6) | (protocol == 17) | (protocol == 132); }

static int ports(const uint8_t *p, size_t n, const struct hand_hosts *hosts) {
  UNUSED;
  if (n < FIXED) return 0;
  if (u16(p + 12) == IP) {
    if (!has_ports(p[23]) || u16(p + 20) & FRAGMENT) return 0;
    const size_t l = ip_length(p);
    if (n < ETHERNET + l + 4) return 0;
    return in_ports(u16(p + ETHERNET + l)) | in_ports(u16(p + ETHERNET + l + 2));
  }
  if (u16(p + 12) != IP6 || n < 58 || !has_ports(p[20])) return 0;
  return in_ports(u16(p + 54)) | in_ports(u16(p + 56));
}

#define HOSTS(name, has)                                                                    \
  static int name(const uint8_t *p, size_t n, const struct hand_hosts *hosts) {             \
    if (n < 42) return 0;                                                                   \
    if (u16(p + 12) == IP) return has(hosts, u32(p + 26)) || has(hosts, u32(p + 30));       \
    if (u16(p + 12) != ARP && u16(p + 12) != RARP) return 0;                                \
    return has(hosts, u32(p + 28)) || has(hosts, u32(p + 38));                              \
  }
HOSTS(few_hosts, has_few)
HOSTS(many_hosts, has_many)

/* ---- many packets, without branches: of at least LEAST bytes ---------------------------------------------------- */

enum { LEAST = ETHERNET + 40 + 4 };
#define FLAT(name) static inline int flat_##name(const uint8_t *p, size_t n, const struct hand_hosts *h)

/* Where ports would be, and whether it is an unfragmented packet of IPv4 or one of IPv6 that has them. */
static inline size_t ports_at(const uint8_t *p) { return u16(p + 12) == IP6 ? 54 : ETHERNET + ip_length(p); }
static inline int whole_ip(const uint8_t *p) { return (u16(p + 12) == IP) & !(u16(p + 20) & FRAGMENT); }
static inline int whole_tcp(const uint8_t *p) { return whole_ip(p) & (p[23] == 6); }
/* So many bytes at a place, or some others where they are not captured. */
static inline const uint8_t *where(const uint8_t *p, size_t n, size_t at, size_t size, int *there) {
  *there = n >= at + size;
  return p + (*there ? at : 0);
}
static inline int either_is(const uint8_t *t, uint16_t port) { return (u16(t) == port) | (u16(t + 2) == port); }

FLAT(ip) { (void)n, (void)h; return u16(p + 12) == IP; }
FLAT(tcp_port_80) {
  (void)h;
  int there;
  const uint8_t *t = where(p, n, ports_at(p), 4, &there);
  return there & (whole_tcp(p) | ((u16(p + 12) == IP6) & (p[20] == 6))) & either_is(t, NET16(80));
}
FLAT(host_and_port) {
  (void)h;
  int there;
  const uint8_t *t = where(p, n, ETHERNET + ip_length(p), 4, &there);
  return there & whole_tcp(p) & ((u32(p + 26) == NET32(0x0a010203)) | (u32(p + 30) == NET32(0x0a010203))) & either_is(t, NET16(443));
}
FLAT(syn_or_fin) {
  (void)h;
  int there;
  const uint8_t *t = where(p, n, ETHERNET + ip_length(p), 14, &there);
  return there & whole_tcp(p) & !!(t[13] & 3) & !((p[26] == 10) & (p[30] == 10));
}
FLAT(http) {
  (void)h;
  const size_t l = ip_length(p);
  int there;
  const uint8_t *t = where(p, n, ETHERNET + l, 13, &there);
  return there & whole_tcp(p) & either_is(t, NET16(80)) & ((uint32_t)(__builtin_bswap16(u16(p + 16)) - l) != (uint32_t)(t[12] & 0xf0) >> 2);
}
FLAT(ip6_udp_53) { (void)n, (void)h; return (u16(p + 12) == IP6) & (p[20] == 17) & either_is(p + 54, NET16(53)); }
FLAT(ports) {
  (void)h;
  int there;
  const uint8_t *t = where(p, n, ports_at(p), 4, &there);
  return there & ((whole_ip(p) & has_ports(p[23])) | ((u16(p + 12) == IP6) & has_ports(p[20]))) & (in_ports(u16(t)) | in_ports(u16(t + 2)));
}
#define FLAT_HOSTS(name, has)                                                                                       \
  FLAT(name) {                                                                                                      \
    (void)n;                                                                                                        \
    const int is_ip = u16(p + 12) == IP, is_arp = (u16(p + 12) == ARP) | (u16(p + 12) == RARP);                     \
    return (is_ip | is_arp) & (has(h, u32(p + (is_ip ? 26 : 28))) | has(h, u32(p + (is_ip ? 30 : 38))));            \
  }
FLAT_HOSTS(few_hosts, has_few)
FLAT_HOSTS(many_hosts, has_many)

/* Headers are asked for ahead; verdicts come in from above. */
#define OVER(prefix, record, name, verdict)                                                                       \
  static void prefix##_##record##_##name(const void *records, size_t count, uint64_t *verdicts, const struct hand_hosts *hosts) { \
    const struct record *packets = records;                                                                       \
    for (size_t first = 0; first < count; first += 64) {                                                          \
      const size_t end = first + 64 < count ? first + 64 : count;                                                 \
      uint64_t bits = 0;                                                                                          \
      for (size_t i = first; i < end; ++i) {                                                                      \
        if (i + 12 < count) __builtin_prefetch(packets[i + 12].bytes);                                            \
        const uint8_t *p = packets[i].bytes;                                                                      \
        const size_t n = packets[i].captured;                                                                     \
        bits = bits >> 1 | (uint64_t)((verdict) != 0) << 63;                                                      \
      }                                                                                                           \
      verdicts[first / 64] = bits >> (64 - (end - first));                                                        \
    }                                                                                                             \
  }
#define BATCHES_OF(record, name)             \
  OVER(loop, record, name, name(p, n, hosts)) \
  OVER(branchless, record, name, n >= LEAST ? flat_##name(p, n, hosts) : name(p, n, hosts))
#define BATCHES(name)           \
  BATCHES_OF(hand_packet, name) \
  BATCHES_OF(hand_view, name)
BATCHES(ip)
BATCHES(tcp_port_80)
BATCHES(host_and_port)
BATCHES(syn_or_fin)
BATCHES(http)
BATCHES(ip6_udp_53)
BATCHES(ports)
BATCHES(few_hosts)
BATCHES(many_hosts)

#define ROW(name) name, {loop_hand_packet_##name, branchless_hand_packet_##name}, {loop_hand_view_##name, branchless_hand_view_##name}
const struct hand_row hand_rows[] = {
    {"ip", ROW(ip)},
    {"tcp port 80", ROW(tcp_port_80)},
    {"host and port", ROW(host_and_port)},
    {"syn or fin", ROW(syn_or_fin)},
    {"http payload", ROW(http)},
    {"ip6 udp 53", ROW(ip6_udp_53)},
    {"three ports", ROW(ports)},
    {"few hosts", ROW(few_hosts)},
    {"many hosts", ROW(many_hosts)},
};
const size_t hand_row_count = sizeof hand_rows / sizeof *hand_rows;
