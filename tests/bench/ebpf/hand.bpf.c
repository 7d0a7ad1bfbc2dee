/* Filters as a C programmer writes them by hand for XDP and tc: what generated programs are measured against. Each returns what the
 * filter says for a packet whose headers are linear, with the checks that the kernel's verifier wants. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
#define NET16(k) __builtin_bswap16(k)
#define NET32(k) __builtin_bswap32(k)

struct ether { u8 to[6], from[6]; u16 type; };
struct ipv4 { u8 first, tos; u16 length, id, fragment; u8 ttl, protocol; u16 sum; u32 from, to; };
struct ipv6 { u32 first; u16 length; u8 next, hops; u32 from[4], to[4]; };
struct arp { u16 kind, protocol; u8 sizes[2]; u16 operation; u8 from[6], from_ip[4], to[6], to_ip[4]; };
struct tcp { u16 from, to, seq[2], ack[2]; u8 offset, flags; };

enum { TCP = 6, UDP = 17, SCTP = 132 };
#define IP NET16(0x0800)
#define IP6 NET16(0x86dd)
#define ARP NET16(0x0806)
#define RARP NET16(0x8035)
#define FRAGMENT NET16(0x1fff)

/* What follows may look at all of *p. */
#define NEED(p) if ((const void *)((p) + 1) > end) return 0
#define ETHERNET(e) const struct ether *e = data; NEED(e)
#define IPV4(i, e) const struct ipv4 *i = (const void *)((e) + 1); NEED(i)
#define IPV6(i, e) const struct ipv6 *i = (const void *)((e) + 1); NEED(i)
struct ports { u16 from, to; };
INLINE const void *transport(const struct ipv4 *i) { return (const u8 *)i + (i->first & 15) * 4; }

INLINE int either(const void *at, const void *end, u16 port) {
  const struct ports *p = at;
  NEED(p);
  return p->from == port || p->to == port;
}

INLINE int only_ip(const void *data, const void *end) {
  ETHERNET(e);
  return e->type == IP;
}

INLINE int tcp_port_80(const void *data, const void *end) {
  ETHERNET(e);
  if (e->type == IP) {
    IPV4(i, e);
    return i->protocol == TCP && !(i->fragment & FRAGMENT) && either(transport(i), end, NET16(80));
  }
  if (e->type != IP6) return 0;
  IPV6(i, e);
  return i->next == TCP && either(i + 1, end, NET16(80));
}

INLINE int host_and_port(const void *data, const void *end) {
  const u32 host = NET32(0x0a010203);
  ETHERNET(e);
  if (e->type != IP) return 0;
  IPV4(i, e);
  return (i->from == host || i->to == host) && i->protocol == TCP && !(i->fragment & FRAGMENT) && either(transport(i), end, NET16(443));
}

INLINE int tcp_flags(const void *data, const void *end) {
  ETHERNET(e);
  if (e->type != IP) return 0;
  IPV4(i, e);
  if (i->protocol != TCP || (i->fragment & FRAGMENT)) return 0;
  const struct tcp *t = transport(i);
  NEED(t);
  return t->flags & 3;
}

INLINE int http_payload(const void *data, const void *end) {
  ETHERNET(e);
  if (e->type != IP) return 0;
  IPV4(i, e);
  if (i->protocol != TCP || (i->fragment & FRAGMENT)) return 0;
  const struct tcp *t = transport(i);
  NEED(t);
  if (t->from != NET16(80) && t->to != NET16(80)) return 0;
  return (u32)NET16(i->length) - (i->first & 15) * 4 - ((t->offset & 0xf0) >> 2) != 0;
}

INLINE int dns_over_ip6(const void *data, const void *end) {
  ETHERNET(e);
  if (e->type != IP6) return 0;
  IPV6(i, e);
  return i->next == UDP && either(i + 1, end, NET16(53));
}

INLINE int is_port(u16 port) {
  const u32 p = NET16(port);
  return p - 6000 <= 63 || p == 53 || p == 123;
}
INLINE int is_transport(u8 protocol) { return protocol == TCP || protocol == UDP || protocol == SCTP; }
INLINE int any_port(const void *at, const void *end) {
  const struct ports *p = at;
  NEED(p);
  return is_port(p->from) || is_port(p->to);
}
INLINE int some_ports(const void *data, const void *end) {
  ETHERNET(e);
  if (e->type == IP) {
    IPV4(i, e);
    return is_transport(i->protocol) && !(i->fragment & FRAGMENT) && any_port(transport(i), end);
  }
  if (e->type != IP6) return 0;
  IPV6(i, e);
  return is_transport(i->next) && any_port(i + 1, end);
}

/* The same addresses as ebpf.cc makes. */
#define HOST(i) case NET32(0x0a000000u | ((i) * 2654435761u & 0xffffff)):
#define TEN(b) HOST(b) HOST(b + 1) HOST(b + 2) HOST(b + 3) HOST(b + 4) HOST(b + 5) HOST(b + 6) HOST(b + 7) HOST(b + 8) HOST(b + 9)
#define HUNDRED TEN(0u) TEN(10u) TEN(20u) TEN(30u) TEN(40u) TEN(50u) TEN(60u) TEN(70u) TEN(80u) TEN(90u)
INLINE int is_one_of_20(u32 a) { switch (a) { TEN(0u) TEN(10u) return 1; } return 0; }
INLINE int is_one_of_100(u32 a) { switch (a) { HUNDRED return 1; } return 0; }

#define HOSTS(name, is_one)                                                                          \
  INLINE int name(const void *data, const void *end) {                                               \
    ETHERNET(e);                                                                                     \
    if (e->type == IP) {                                                                             \
      IPV4(i, e);                                                                                    \
      return is_one(i->from) || is_one(i->to);                                                       \
    }                                                                                                \
    if (e->type != ARP && e->type != RARP) return 0;                                                 \
    const struct arp *a = (const void *)(e + 1);                                                     \
    NEED(a);                                                                                         \
    return is_one(*(const u32 *)a->from_ip) || is_one(*(const u32 *)a->to_ip);                       \
  }
HOSTS(hosts_20, is_one_of_20)
HOSTS(hosts_100, is_one_of_100)

/* `ip6 protochain 6`: up to six headers are stepped over, in a loop or without one. */
enum { AH = 51, MOST_HEADERS = 6, MOST_OFFSET = 0x7fff };
#define IS_STEPPED_OVER(next) ((next) < 64 && (0x1008180000000001ull >> (next) & 1))
#define CHAIN(name, unrolling)                                                                       \
  INLINE int name(const void *data, const void *end) {                                               \
    ETHERNET(e);                                                                                     \
    if (e->type != IP6) return 0;                                                                    \
    IPV6(i, e);                                                                                      \
    u32 next = i->next, at = sizeof *e + sizeof *i;                                                  \
    _Pragma(unrolling) for (int n = 0; n < MOST_HEADERS; ++n) {                                      \
      if (next == TCP) return 1;                                                                     \
      if (!IS_STEPPED_OVER(next)) return 0;                                                          \
      const struct { u8 next, length; } *header = (const void *)((const u8 *)data + (at & MOST_OFFSET)); \
      NEED(header);                                                                                  \
      at += next == AH ? (header->length + 2) * 4 : header->length * 8 + 8;                          \
      next = header->next;                                                                           \
    }                                                                                                \
    return next == TCP;                                                                              \
  }
CHAIN(chain_in_a_loop, "clang loop unroll(disable)")
CHAIN(chain_unrolled, "clang loop unroll(full)")

#define PROGRAMS(name)                                                                                                          \
  SEC("xdp") int xdp_##name(struct xdp_md *c) { return name((void *)(long)c->data, (void *)(long)c->data_end) ? XDP_PASS : XDP_DROP; } \
  SEC("tc") int tc_##name(struct __sk_buff *c) { return name((void *)(long)c->data, (void *)(long)c->data_end) ? TC_ACT_OK : TC_ACT_SHOT; }
PROGRAMS(only_ip)
PROGRAMS(tcp_port_80)
PROGRAMS(host_and_port)
PROGRAMS(tcp_flags)
PROGRAMS(http_payload)
PROGRAMS(dns_over_ip6)
PROGRAMS(some_ports)
PROGRAMS(hosts_20)
PROGRAMS(hosts_100)
PROGRAMS(chain_in_a_loop)
PROGRAMS(chain_unrolled)

char licence[] SEC("license") = "Dual MIT/GPL";
