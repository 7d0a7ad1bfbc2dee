"""Bytes of the layers, inside out: each function takes what it carries."""
import socket
import struct

A4, B4, C4, GATEWAY4 = "10.0.0.1", "10.0.0.2", "192.168.1.20", "192.168.1.1"
A6, B6, LINK6, NODES6 = "2001:db8::1", "2001:db8:0:1::2", "fe80::1", "ff02::1"
MAC_A, MAC_B, MAC_C = "02:00:00:00:00:01", "02:00:00:00:00:02", "00:11:22:33:44:55"
DNS_QUERY = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01"
BROADCAST, STP_GROUP = "ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:00"


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def ip4(text):
    return socket.inet_aton(text)


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def with_checksum(data, at, pseudo=b""):
    return data[:at] + struct.pack(">H", checksum(pseudo + data)) + data[at + 2:]


def address(text):
    return ip6(text) if ":" in text else ip4(text)


def ip(protocol, segment, src=A4, dst=B4, checksum_at=None, **fields):
    """IPv4 or IPv6, as the addresses are; the checksum of the segment covers the pseudo header."""
    if checksum_at is not None:
        pseudo = address(src) + address(dst) + struct.pack(">II", len(segment), protocol)
        segment = with_checksum(segment, checksum_at, pseudo)
    return (ipv6 if ":" in src else ipv4)(protocol, segment, src, dst, **fields)


def ipv4(protocol, payload, src=A4, dst=B4, options=b"", fragment=0x4000, ttl=64, tos=0, ident=1, length=None,
         version=4, ihl=None):
    header = 20 + len(options)
    first = version << 4 | (header // 4 if ihl is None else ihl)
    total = header + len(payload) if length is None else length
    head = struct.pack(">BBHHHBBH", first, tos, total, ident, fragment, ttl, protocol, 0) + ip4(src) + ip4(dst)
    return with_checksum(head + options, 10) + payload


def ipv6(next_header, payload, src=A6, dst=B6, traffic=0, flow=0, hops=64):
    first = 6 << 28 | traffic << 20 | flow
    return struct.pack(">IHBB", first, len(payload), next_header, hops) + ip6(src) + ip6(dst) + payload


def tcp(src=A4, dst=B4, sport=40000, dport=80, flags=0x02, data=b"", options=b"", seq=1000, ack=2000,
        window=64240, **fields):
    offset_flags = (20 + len(options)) // 4 << 12 | flags
    head = struct.pack(">HHIIHHHH", sport, dport, seq, 0 if flags == 2 else ack, offset_flags, window, 0, 0)
    return ip(6, head + options + data, src, dst, checksum_at=16, **fields)


def udp_segment(sport, dport, data):
    return struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data


def udp(src=A4, dst=B4, sport=40000, dport=53, data=DNS_QUERY, **fields):
    return ip(17, udp_segment(sport, dport, data), src, dst, checksum_at=6, **fields)


def sctp(src=A4, dst=B4, sport=5000, dport=36412):
    return ip(132, struct.pack(">HHII", sport, dport, 0x1234, 0) + b"\x03\0\0\x10" + b"\0" * 12, src, dst)


def icmp(kind=8, code=0, src=A4, dst=B4, rest=b"\0\x01\0\x01pingpong", **fields):
    return ipv4(1, with_checksum(struct.pack(">BBH", kind, code, 0) + rest, 2), src, dst, **fields)


def icmp6(kind=128, code=0, src=A6, dst=B6, rest=b"\0\x01\0\x01pingpong", **fields):
    return ip(58, struct.pack(">BBH", kind, code, 0) + rest, src, dst, checksum_at=2, **fields)


def arp(operation=1, sender=A4, target=B4):
    return struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + mac(MAC_A) + ip4(sender) + bytes(6) + ip4(target)


def ether(kind, payload, src=MAC_A, dst=MAC_B):
    return mac(dst) + mac(src) + struct.pack(">H", kind) + payload


def ether_ip(packet, **fields):
    return ether(0x0800 if packet[0] >> 4 == 4 else 0x86dd, packet, **fields)


def ether_802_3(payload, src=MAC_A, dst=MAC_B):
    return ether(len(payload), payload, src, dst).ljust(60, b"\0")


def tag(identifier, kind, payload, priority=0):
    """What follows the EtherType of a VLAN tag."""
    return struct.pack(">HH", priority << 13 | identifier, kind) + payload


def label(value, payload, bottom=True, ttl=64):
    return struct.pack(">I", value << 12 | bottom << 8 | ttl) + payload


def snap(organization, kind, payload):
    return b"\xaa\xaa\x03" + organization.to_bytes(3, "big") + struct.pack(">H", kind) + payload


def pppoe(code, session, payload):
    return struct.pack(">BBHH", 0x11, code, session, len(payload)) + payload


def geneve(vni, kind, payload, options=b""):
    return struct.pack(">BBHI", len(options) // 4, 0, kind, vni << 8) + options + payload


def vxlan(vni, payload, flags=0x08):
    return struct.pack(">BBHI", flags, 0, 0, vni << 8) + payload


def extension(next_header, size=8):
    return struct.pack(">BB", next_header, size // 8 - 1) + b"\x01" + bytes([size - 4]) + bytes(size - 4)


def fragment6(next_header, offset, more, ident=7):
    return struct.pack(">BBHI", next_header, 0, offset << 3 | more, ident)


def authentication(next_header, size=24):
    return struct.pack(">BBHII", next_header, size // 4 - 2, 0, 0x100, 1) + bytes(size - 12)


def radiotap(frame, padded=False, stamped=False, extended=False):
    """The header with its flags; padded says that the 802.11 header was filled up to a multiple of 4 bytes."""
    present = [stamped << 0 | 1 << 1 | extended << 31] + [0] * extended
    head = b"".join(struct.pack("<I", word) for word in present)
    if stamped:
        head += bytes(-(4 + len(head)) % 8) + struct.pack("<Q", 123456789)
    head += bytes([0x20 if padded else 0])
    return struct.pack("<BBH", 0, 0, 4 + len(head)) + head + frame


def wlan(kind, subtype, flags=0, addresses=(MAC_B, MAC_A, MAC_C), qos=False, body=b"", pad=False):
    head = bytes([subtype << 4 | kind << 2, flags]) + b"\x2c\0"
    head += b"".join(mac(a) for a in addresses[:3])
    if len(addresses) >= 3:
        head += b"\x10\0"
    head += b"".join(mac(a) for a in addresses[3:])
    if qos:
        head += b"\x05\0"
    return head + bytes(-len(head) % 4 if pad else 0) + body
