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

struct ether { u8 to[6], from[6]; u16 type; } __attribute__((packed));
struct ipv4 { u8 first, tos; u16 length, id, fragment; u8 ttl, protocol; u16 sum; u32 from, to; } __attribute__((packed));
struct ipv6 { u32 first; u16 length; u8 next, hops; u32 from[4], to[4]; } __attribute__((packed));
struct arp { u16 kind, protocol; u8 sizes[2]; u16 operation; u8 from[6]; u32 from_ip; u8 to[6]; u32 to_ip; } __attribute__((packed));
struct tcp { u16 from, to; u32 seq, ack; u8 offset, flags; } __attribute__((packed));

enum { TCP = 6, UDP = 17, SCTP = 132 };
#define IP NET16(0x0800)
#define IP6 NET16(0x86dd)
#define ARP NET16(0x0806)
#define RARP NET16(0x8035)
#define FRAGMENT NET16(0x1fff)

INLINE const struct ether *ethernet(const void *data, const void *end) {
  const struct ether *e = data;
  return (const void *)(e + 1) > end ? 0 : e;
}
INLINE const struct ipv4 *ip(const struct ether *e, const void *end) {
  const struct ipv4 *i = (const void *)(e + 1);
  return (const void *)(i + 1) > end ? 0 : i;
}
INLINE const struct ipv6 *ip6(const struct ether *e, const void *end) {
  const struct ipv6 *i = (const void *)(e + 1);
  return (const void *)(i + 1) > end ? 0 : i;
}
INLINE const void *transport(const struct ipv4 *i) { return (const u8 *)i + (i->first & 15) * 4; }
INLINE const u16 *ports(const void *t, const void *end) { return (const u8 *)t + 4 > (const u8 *)end ? 0 : t; }

INLINE int only_ip(const void *data, const void *end) {
  const struct ether *e = ethernet(data, end);
  return e && e->type == IP;
}

INLINE int either(const u16 *p, u16 port) { return p && (p[0] == port || p[1] == port); }

INLINE int tcp_port_80(const void *data, const void *end) {
  const struct ether *e = ethernet(data, end);
  if (!e) return 0;
  if (e->type == IP) {
    const struct ipv4 *i = ip(e, end);
    return i && i->protocol == TCP && !(i->fragment & FRAGMENT) && either(ports(transport(i), end), NET16(80));
  }
  if (e->type != IP6) return 0;
  const struct ipv6 *i = ip6(e, end);
  return i && i->next == TCP && either(ports(i + 1, end), NET16(80));
}

INLINE int host_and_port(const void *data, const void *end) {
  const struct ether *e = ethernet(data, end);
  if (!e || e->type != IP) return 0;
  const struct ipv4 *i = ip(e, end);
  const u32 host = NET32(0x0a010203);
  return i && (i->from == host || i->to == host) && i->protocol == TCP && !(i->fragment & FRAGMENT) && either(ports(transport(i), end), NET16(443));
}

INLINE int tcp_flags(const void *data, const void *end) {
  const struct ether *e = ethernet(data, end);
  if (!e || e->type != IP) return 0;
  const struct ipv4 *i = ip(e, end);
  if (!i || i->protocol != TCP || (i->fragment & FRAGMENT)) return 0;
  const struct tcp *t = transport(i);
  return (const void *)(t + 1) <= end && (t->flags & 3);
}

INLINE int http_payload(const void *data, const void *end) {
  const struct ether *e = ethernet(data, end);
  if (!e || e->type != IP) return 0;
  const struct ipv4 *i = ip(e, end);
  if (!i || i->protocol != TCP || (i->fragment & FRAGMENT)) return 0;
  const struct tcp *t = transport(i);
  if ((const void *)(t + 1) > end || (t->from != NET16(80) && t->to != NET16(80))) return 0;
  return (u32)NET16(i->length) - (i->first & 15) * 4 - ((t->offset & 0xf0) >> 2) != 0;
}

INLINE int dns_over_ip6(const void *data, const void *end) {
  const struct ether *e = ethernet(data, end);
  if (!e || e->type != IP6) return 0;
  const struct ipv6 *i = ip6(e, end);
  return i && i->next == UDP && either(ports(i + 1, end), NET16(53));
}

INLINE int is_port(u16 port) {
  const u32 p = NET16(port);
  return p - 6000 <= 63 || p == 53 || p == 123;
}
INLINE int is_transport(u8 protocol) { return protocol == TCP || protocol == UDP || protocol == SCTP; }
INLINE int any_port(const u16 *p) { return p && (is_port(p[0]) || is_port(p[1])); }
INLINE int some_ports(const void *data, const void *end) {
  const struct ether *e = ethernet(data, end);
  if (!e) return 0;
  if (e->type == IP) {
    const struct ipv4 *i = ip(e, end);
    return i && is_transport(i->protocol) && !(i->fragment & FRAGMENT) && any_port(ports(transport(i), end));
  }
  if (e->type != IP6) return 0;
  const struct ipv6 *i = ip6(e, end);
  return i && is_transport(i->next) && any_port(ports(i + 1, end));
}

/* The same addresses as ebpf.cc makes. */
#define HOST(i) case NET32(0x0a000000u | ((i) * 2654435761u & 0xffffff)):
#define TEN(b) HOST(b) HOST(b + 1) HOST(b + 2) HOST(b + 3) HOST(b + 4) HOST(b + 5) HOST(b + 6) HOST(b + 7) HOST(b + 8) HOST(b + 9)
#define HUNDRED TEN(0u) TEN(10u) TEN(20u) TEN(30u) TEN(40u) TEN(50u) TEN(60u) TEN(70u) TEN(80u) TEN(90u)
INLINE int is_one_of_20(u32 a) { switch (a) { TEN(0u) TEN(10u) return 1; } return 0; }
INLINE int is_one_of_100(u32 a) { switch (a) { HUNDRED return 1; } return 0; }

#define HOSTS(name, is_one)                                                             \
  INLINE int name(const void *data, const void *end) {                                  \
    const struct ether *e = ethernet(data, end);                                        \
    if (!e) return 0;                                                                   \
    if (e->type == IP) {                                                                \
      const struct ipv4 *i = ip(e, end);                                                \
      return i && (is_one(i->from) || is_one(i->to));                                   \
    }                                                                                   \
    if (e->type != ARP && e->type != RARP) return 0;                                    \
    const struct arp *a = (const void *)(e + 1);                                        \
    return (const void *)(a + 1) <= end && (is_one(a->from_ip) || is_one(a->to_ip));    \
  }
HOSTS(hosts_20, is_one_of_20)
HOSTS(hosts_100, is_one_of_100)

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

char licence[] SEC("license") = "Dual MIT/GPL";
