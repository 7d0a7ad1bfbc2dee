/* The filters of hand.c over eight packets a step, with AVX-512. Compiled twice: with HAND_VIEWS for records of that kind. */
#include <string.h>

#include "hand.h"

#ifdef HAND_VIEWS
#define RECORD struct hand_view
#define NUMBER_MASK 0xffffffff /* what of the second word of a record is the number of bytes */
#define hand_vector hand_vector_views
#else
#define RECORD struct hand_packet
#define NUMBER_MASK -1
#endif

#if defined(__x86_64__)
#include <immintrin.h>

#define VECTOR __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,bmi,bmi2,popcnt")))
#define NET16(k) ((uint32_t)__builtin_bswap16(k))
#define NET32(k) ((uint32_t)__builtin_bswap32(k))
#define IP NET16(0x0800)
#define IP6 NET16(0x86dd)
#define ARP NET16(0x0806)
#define RARP NET16(0x8035)

/* Packets with fewer bytes are left to the code of one packet; what lies further back is looked up where it is captured. */
enum { LANES = 8, ETHERNET = 14, LEAST = 58 };

struct group {
  const RECORD *packets;
  __m512i bytes, captured;
};
struct columns {
  __m256i c[4];
};

/* ---- loads ------------------------------------------------------------------------------------------------------ */

/* Four words of each packet, turned around: word j of packet i is lane i of column j. */
VECTOR static inline struct columns load(struct group g, size_t at) {
  const RECORD *p = g.packets;
  __m256i r[4];
  for (int i = 0; i < 4; ++i)
    r[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(p[i].bytes + at))),
                                   _mm_loadu_si128((const __m128i *)(const void *)(p[i + 4].bytes + at)), 1);
  const __m256i a = _mm256_unpacklo_epi32(r[0], r[1]), b = _mm256_unpacklo_epi32(r[2], r[3]);
  const __m256i c = _mm256_unpackhi_epi32(r[0], r[1]), d = _mm256_unpackhi_epi32(r[2], r[3]);
  return (struct columns){{_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b), _mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d)}};
}

/* The word `at` bytes behind an offset of each packet's own; 0 where it is not captured. */
VECTOR static inline __m256i look_up(struct group g, __mmask8 which, __m256i offsets, int at) {
  const __m512i places = _mm512_add_epi64(_mm512_cvtepu32_epi64(offsets), _mm512_set1_epi64(at));
  which &= _mm512_cmpge_epu64_mask(g.captured, _mm512_add_epi64(places, _mm512_set1_epi64(4)));
  return _mm512_mask_i64gather_epi32(_mm256_setzero_si256(), which, _mm512_add_epi64(g.bytes, places), (const void *)0, 1);
}

/* ---- questions ---------------------------------------------------------------------------------------------------- */

VECTOR static inline __m256i all(uint32_t k) { return _mm256_set1_epi32((int)k); }
VECTOR static inline __mmask8 is(__m256i v, uint32_t k) { return _mm256_cmpeq_epi32_mask(v, all(k)); }
VECTOR static inline __mmask8 low_is(__m256i v, uint32_t k) { return is(_mm256_and_si256(v, all(0xffff)), k); }
VECTOR static inline __mmask8 high_is(__m256i v, uint32_t k) { return is(_mm256_srli_epi32(v, 16), k); }
VECTOR static inline __mmask8 byte_is(__m256i v, int byte, uint32_t k) { return is(_mm256_and_si256(v, all(0xffu << 8 * byte)), k << 8 * byte); }

/* Of the columns 10, 14, 18 and 22 of a frame: type; header length and total length; fragment; protocol. */
VECTOR static inline __mmask8 whole(struct columns w) { return _mm256_testn_epi32_mask(w.c[2], all(NET16(0x1fff) << 16)); }
VECTOR static inline __mmask8 whole_tcp(struct columns w) { return high_is(w.c[0], IP) & byte_is(w.c[3], 1, 6) & whole(w); }
VECTOR static inline __m256i header(struct columns w) { return _mm256_slli_epi32(_mm256_and_si256(w.c[1], all(15)), 2); }
VECTOR static inline __mmask8 either_is(__m256i ports, uint32_t port) { return low_is(ports, NET16(port)) | high_is(ports, NET16(port)); }

/* ---- filters --------------------------------------------------------------------------------------------------------- */

#define FILTER(name) VECTOR static inline __mmask8 name(struct group g, const struct hand_hosts *h)
#define UNUSED (void)h

FILTER(ip) { UNUSED; return high_is(load(g, 10).c[0], IP); }

FILTER(tcp_port_80) {
  UNUSED;
  const struct columns w = load(g, 10);
  const __mmask8 six = high_is(w.c[0], IP6) & byte_is(w.c[2], 2, 6), tcp = six | whole_tcp(w);
  if (!tcp) return 0;
  return tcp & either_is(look_up(g, tcp, _mm256_mask_blend_epi32(six, header(w), all(40)), ETHERNET), 80);
}

FILTER(host_and_port) {
  UNUSED;
  const struct columns a = load(g, 26), w = load(g, 10);
  const __mmask8 m = (is(a.c[0], NET32(0x0a010203)) | is(a.c[1], NET32(0x0a010203))) & whole_tcp(w);
  return m ? m & either_is(look_up(g, m, header(w), ETHERNET), 443) : 0;
}

FILTER(syn_or_fin) {
  UNUSED;
  const struct columns a = load(g, 26), w = load(g, 10);
  const __mmask8 m = whole_tcp(w) & (__mmask8)~(byte_is(a.c[0], 0, 10) & byte_is(a.c[1], 0, 10));
  return m ? m & _mm256_test_epi32_mask(look_up(g, m, header(w), ETHERNET + 10), all(3u << 24)) : 0;
}

FILTER(http) {
  UNUSED;
  const struct columns w = load(g, 10);
  __mmask8 m = whole_tcp(w);
  if (!m) return 0;
  m &= either_is(look_up(g, m, header(w), ETHERNET), 80);
  if (!m) return 0;
  const __m256i data = _mm256_srli_epi32(_mm256_and_si256(look_up(g, m, header(w), ETHERNET + 9), all(0xf0u << 24)), 26);
  const __m256i length = _mm256_or_si256(_mm256_srli_epi32(w.c[1], 24), _mm256_and_si256(_mm256_srli_epi32(w.c[1], 8), all(0xff00)));
  return m & _mm256_cmpneq_epi32_mask(_mm256_sub_epi32(length, header(w)), data);
}

FILTER(ip6_udp_53) {
  UNUSED;
  const struct columns w = load(g, 10);
  const __mmask8 m = high_is(w.c[0], IP6) & byte_is(w.c[2], 2, 17);
  return m ? m & either_is(look_up(g, m, all(54), 0), 53) : 0;
}

FILTER(ports) {
  UNUSED;
  const struct columns w = load(g, 10);
  const __mmask8 six = high_is(w.c[0], IP6) & (byte_is(w.c[2], 2, 6) | byte_is(w.c[2], 2, 17) | byte_is(w.c[2], 2, 132));
  const __mmask8 m = six | (high_is(w.c[0], IP) & whole(w) & (byte_is(w.c[3], 1, 6) | byte_is(w.c[3], 1, 17) | byte_is(w.c[3], 1, 132)));
  if (!m) return 0;
  const __m256i raw = look_up(g, m, _mm256_mask_blend_epi32(six, header(w), all(40)), ETHERNET);
  const __m256i k = _mm256_or_si256(_mm256_slli_epi16(raw, 8), _mm256_srli_epi16(raw, 8));
  const __mmask16 in = _mm256_cmple_epu16_mask(_mm256_sub_epi16(k, _mm256_set1_epi16(6000)), _mm256_set1_epi16(63)) |
                       _mm256_cmpeq_epi16_mask(k, _mm256_set1_epi16(53)) | _mm256_cmpeq_epi16_mask(k, _mm256_set1_epi16(123));
  return m & (__mmask8)_pext_u32(in | in >> 1, 0x5555);
}

VECTOR static inline __mmask8 has_few(const struct hand_hosts *h, __mmask8 m, __m256i keys) {
  const __m256i slots = _mm256_srl_epi32(_mm256_mullo_epi32(keys, all((uint32_t)h->multiplier)), _mm_cvtsi32_si128((int)h->slot_shift));
  return _mm256_mask_cmpeq_epi32_mask(m, keys, _mm256_mmask_i32gather_epi32(_mm256_setzero_si256(), m, slots, h->keys, 4));
}
VECTOR static inline __mmask8 has_many(const struct hand_hosts *h, __mmask8 m, __m256i keys) {
  const __m512i product = _mm512_mullo_epi64(_mm512_cvtepu32_epi64(keys), _mm512_set1_epi64((long long)h->multiplier));
  /* Two bytes behind the last one are read, too: there are as many as there are slots, of which a quarter is used. */
  const __m256i d = _mm512_mask_i64gather_epi32(_mm256_setzero_si256(), m, _mm512_srl_epi64(product, _mm_cvtsi32_si128((int)h->bucket_shift)), h->displacements, 2);
  const __m256i slots = _mm256_and_si256(_mm256_xor_si256(_mm512_cvtepi64_epi32(_mm512_srli_epi64(product, 24)), _mm256_and_si256(d, all(0xffff))), all(h->mask));
  return _mm256_mask_cmpeq_epi32_mask(m, keys, _mm256_mmask_i32gather_epi32(_mm256_setzero_si256(), m, slots, h->keys, 4));
}
#define HOSTS(name, has)                                                                                              \
  FILTER(name) {                                                                                                      \
    const __m256i type = load(g, 10).c[0];                                                                            \
    const __mmask8 arp = high_is(type, ARP) | high_is(type, RARP), m = arp | high_is(type, IP);                       \
    if (!m) return 0;                                                                                                 \
    const struct columns a = load(g, 26);                                                                             \
    const __m256i sender = _mm256_or_si256(_mm256_srli_epi32(a.c[0], 16), _mm256_slli_epi32(a.c[1], 16));             \
    return has(h, m, _mm256_mask_blend_epi32(arp, a.c[0], sender)) | has(h, m, _mm256_mask_blend_epi32(arp, a.c[1], a.c[3])); \
  }
HOSTS(few_hosts, has_few)
HOSTS(many_hosts, has_many)

/* ---- batches ------------------------------------------------------------------------------------------------------------ */

static hand_filter one_of(const char *name) {
  for (size_t i = 0; i < hand_row_count; ++i)
    if (!strcmp(hand_rows[i].name, name)) return hand_rows[i].one;
  return 0;
}

static uint64_t each(const RECORD *p, size_t count, const struct hand_hosts *hosts, hand_filter one) {
  uint64_t bits = 0;
  for (size_t i = 0; i < count; ++i) bits |= (uint64_t)(one(p[i].bytes, p[i].captured, hosts) != 0) << i;
  return bits;
}

/* Where the bytes of four packets are, and how many. */
VECTOR static inline __m512i four(const RECORD *p) {
  const __m512i first = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(const void *)p));
  const __m512i two = _mm512_inserti64x2(first, _mm_loadu_si128((const __m128i *)(const void *)(p + 1)), 1);
  const __m512i three = _mm512_inserti64x2(two, _mm_loadu_si128((const __m128i *)(const void *)(p + 2)), 2);
  return _mm512_inserti64x2(three, _mm_loadu_si128((const __m128i *)(const void *)(p + 3)), 3);
}

#define BATCH(name, words)                                                                                                  \
  VECTOR static void vector_##name(const void *records, size_t count, uint64_t *verdicts, const struct hand_hosts *hosts) { \
    const RECORD *packets = records;                                                                                        \
    const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);\
    const hand_filter one = one_of(words);                                                                                  \
    for (size_t first = 0; first < count; first += 64) {                                                                    \
      const size_t end = first + 64 < count ? first + 64 : count;                                                           \
      uint64_t bits = 0;                                                                                                    \
      size_t i = first;                                                                                                     \
      for (; i + LANES <= end; i += LANES) {                                                                                \
        const __m512i a = four(packets + i), b = four(packets + i + 4);                                                 \
        const __m512i numbers = _mm512_and_si512(_mm512_permutex2var_epi64(a, odd, b), _mm512_set1_epi64(NUMBER_MASK));       \
        const struct group g = {packets + i, _mm512_permutex2var_epi64(a, even, b), numbers};                               \
        if (i + 3 * LANES <= count)                                                                                         \
          for (int j = 0; j < LANES; ++j) __builtin_prefetch(packets[i + 2 * LANES + (size_t)j].bytes);                     \
        const int are_long = _mm512_cmplt_epu64_mask(g.captured, _mm512_set1_epi64(LEAST)) == 0;                            \
        bits |= (are_long ? (uint64_t)name(g, hosts) : each(packets + i, LANES, hosts, one)) << (i - first);                \
      }                                                                                                                     \
      if (i < end) bits |= each(packets + i, end - i, hosts, one) << (i - first);                                           \
      verdicts[first / 64] = bits;                                                                                          \
    }                                                                                                                       \
  }
BATCH(ip, "ip")
BATCH(tcp_port_80, "tcp port 80")
BATCH(host_and_port, "host and port")
BATCH(syn_or_fin, "syn or fin")
BATCH(http, "http payload")
BATCH(ip6_udp_53, "ip6 udp 53")
BATCH(ports, "three ports")
BATCH(few_hosts, "few hosts")
BATCH(many_hosts, "many hosts")

hand_batch hand_vector(const char *name) {
  static const hand_batch all_batches[] = {vector_ip,         vector_tcp_port_80, vector_host_and_port, vector_syn_or_fin, vector_http,
                                           vector_ip6_udp_53, vector_ports,       vector_few_hosts,     vector_many_hosts};
  if (!__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512bw")) return 0;
  for (size_t i = 0; i < hand_row_count; ++i)
    if (!strcmp(hand_rows[i].name, name)) return all_batches[i];
  return 0;
}

#else

hand_batch hand_vector(const char *name) { (void)name; return 0; }

#endif
