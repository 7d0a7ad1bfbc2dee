#!/usr/bin/env python3
"""Makes the captures of this folder. ../README.md says what each holds.

make_packets.py DIRECTORY   writes them there: the same bytes every time
make_packets.py --check     compares what it would write with what lies beside it
"""
import pathlib
import struct
import sys

from frames import *
from savefiles import *

HERE = pathlib.Path(__file__).resolve().parent


def conversations(src, dst):
    """What hosts say to each other, over IPv4 or IPv6."""
    http = b"GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
    mss = b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + bytes(8) + b"\x01\x03\x03\x07"
    yield tcp(src, dst, flags=0x02, options=mss)
    yield tcp(dst, src, 80, 40000, flags=0x12, options=mss)
    yield tcp(src, dst, flags=0x10)
    yield tcp(src, dst, flags=0x18, data=http)
    yield tcp(dst, src, 80, 40000, flags=0x18, data=b"HTTP/1.1 200 OK\r\n\r\n")
    yield tcp(src, dst, flags=0x11)
    yield tcp(dst, src, 80, 40000, flags=0x14)
    yield tcp(src, dst, 40001, 443, flags=0xc2)
    for sport, dport in ((20, 40002), (40003, 21), (40004, 22), (40005, 25), (179, 179), (8080, 40006), (6667, 6000)):
        yield tcp(src, dst, sport, dport, flags=0x18, data=b"x" * (dport % 40))
    yield udp(src, dst)
    yield udp(dst, src, 53, 40000, data=DNS_QUERY[:2] + b"\x81\x80" + DNS_QUERY[4:])
    for sport, dport in ((68, 67), (123, 123), (40007, 161), (5060, 5060), (40008, 4789), (40009, 6081), (513, 514)):
        yield udp(src, dst, sport, dport, data=b"y" * (sport % 30))
    yield sctp(src, dst)
    yield sctp(dst, src, 36412, 80)


def ethernet():
    for packet in (*conversations(A4, B4), *conversations(A6, B6)):
        yield ether_ip(packet)
    for kind, code in ((8, 0), (0, 0), (3, 1), (3, 3), (5, 1), (11, 0), (13, 0), (17, 0)):
        yield ether_ip(icmp(kind, code))
    for kind in (1, 2, 3, 128, 129, 133, 134, 135, 136, 143):
        yield ether_ip(icmp6(kind, src=LINK6, dst=NODES6, hops=255), dst="33:33:00:00:00:01")
    for protocol in (0, 2, 4, 9, 41, 47, 50, 51, 89, 103, 112, 255):
        yield ether_ip(ipv4(protocol, bytes(range(40)), C4, GATEWAY4))
    yield ether_ip(tcp(C4, "172.16.0.3", 40010, 80), src=MAC_C)
    yield ether_ip(udp(C4, "192.168.1.255", 137, 137), dst=BROADCAST)
    yield ether_ip(udp("0.0.0.0", "255.255.255.255", 68, 67), dst=BROADCAST)
    yield ether_ip(udp(C4, "10.0.0.0", 40011, 9), dst=BROADCAST)
    yield ether_ip(udp(C4, "224.0.0.251", 5353, 5353, ttl=255), dst="01:00:5e:00:00:fb")
    yield ether_ip(ipv4(2, b"\x16\0\x09\x04\xe0\0\0\xfb", C4, "224.0.0.251", options=b"\x94\x04\0\0", ttl=1),
                   dst="01:00:5e:00:00:fb")
    yield ether_ip(udp(LINK6, "ff02::fb", 5353, 5353, hops=255), dst="33:33:00:00:00:fb")
    for operation in (1, 2, 3, 8):
        yield ether(0x0806, arp(operation), dst=BROADCAST if operation == 1 else MAC_B)
    yield ether(0x0806, arp(1, C4, GATEWAY4), src=MAC_C, dst=BROADCAST)
    yield ether(0x8035, arp(3, "0.0.0.0", "0.0.0.0"), dst=BROADCAST)


def inner_packets():
    """A handful of each family, as tags and tunnels carry them."""
    yield 0x0800, tcp()
    yield 0x0800, tcp(B4, A4, 443, 40000, flags=0x12)
    yield 0x0800, udp()
    yield 0x0800, icmp()
    yield 0x86dd, tcp(A6, B6)
    yield 0x86dd, udp(B6, A6, 53, 40000)
    yield 0x86dd, icmp6()
    yield 0x0806, arp()


def vlan():
    for number, (kind, packet) in enumerate(inner_packets()):
        yield ether(0x8100, tag((10, 100, 200, 4095)[number % 4], kind, packet, priority=number))
        yield ether(0x88a8, tag(300, 0x8100, tag(100 + number, kind, packet)))
        yield ether(0x9100, tag(300, 0x8100, tag(100, kind, packet)))
        yield ether(0x8100, tag(100, 0x8100, tag(200, kind, packet)))
    yield ether(0x8100, tag(0, 0x0800, tcp(), priority=7))
    yield ether(0x8100, tag(1, 0x8100, tag(2, 0x8100, tag(3, 0x0800, udp()))))
    yield ether(0x8100, tag(100, 0x8847, label(1024, tcp())))
    yield ether(0x8100, tag(100, 0x8863, pppoe(9, 0, b"\x01\x01\0\0")))
    yield ether(0x8100, tag(100, 0x8864, pppoe(0, 5, b"\0\x21" + tcp())))
    yield ether(0x8100, tag(100, 3, b"\x42\x42\x03").ljust(46, b"\0"))
    yield ether(0x8100, tag(200, 0x0806, arp(1, C4, GATEWAY4)), src=MAC_C, dst=BROADCAST)


def mpls():
    for kind, packet in inner_packets():
        if kind == 0x0806:
            continue
        yield ether(0x8847, label(1024, packet))
        yield ether(0x8847, label(100000, label(1024, packet), bottom=False))
        yield ether(0x8848, label(16, label(17, label(1048575, packet), bottom=False), bottom=False))
    yield ether(0x8847, label(0, tcp()))
    yield ether(0x8847, label(2, tcp(A6, B6)))
    yield ether(0x8847, label(3, b"\0" * 4 + ether_ip(tcp())))
    yield ether(0x8847, label(1048575, udp()))
    for packet in (tcp(), tcp(A6, B6)):
        yield ether(0x8847, label(16, label(17, label(1048575, packet), bottom=False), bottom=False))


def pppoe_frames():
    for code, session in ((0x09, 0), (0x07, 0), (0x19, 0), (0x65, 0x11), (0xa7, 0x11)):
        yield ether(0x8863, pppoe(code, session, b"\x01\x01\0\0"), dst=BROADCAST if code == 0x09 else MAC_B)
    for session in (1, 0x11, 0xffff):
        for kind, packet in inner_packets():
            if kind != 0x0806:
                yield ether(0x8864, pppoe(0, session, (b"\0\x21" if kind == 0x0800 else b"\0\x57") + packet))
    yield ether(0x8864, pppoe(0, 0x11, b"\xc0\x21\x09\x01\0\x08\x01\x02\x03\x04"))
    yield ether(0x8864, pppoe(0, 0x11, b"\x02\x81" + label(1024, tcp())))
    yield ether(0x8864, pppoe(0, 0x11, b"\0\x57" + tcp(A6, B6, 40000, 443)))
    yield ether(0x8863, b"\x21" + pppoe(9, 0, b"\x01\x01\0\0")[1:], dst=BROADCAST)


def tunnels():
    option = struct.pack(">HBBI", 0x0102, 0x80, 1, 0xabcdef)
    for outer in ((A4, B4), (A6, B6)):
        for kind, packet in inner_packets():
            inner = ether(kind, packet, src=MAC_C)
            yield ether_ip(udp(*outer, 50000, 6081, geneve(0x123456, 0x6558, inner)))
            yield ether_ip(udp(*outer, 50000, 6081, geneve(77, 0x6558, inner, options=option * 2)))
            yield ether_ip(udp(*outer, 50000, 4789, vxlan(0x123456, inner)))
        yield ether_ip(udp(*outer, 50000, 6081, geneve(1, 0x0800, tcp(), options=option)))
        yield ether_ip(udp(*outer, 50000, 6081, geneve(1, 0x86dd, tcp(A6, B6))))
        yield ether_ip(udp(*outer, 50000, 6081, geneve(1, 0x6558, ether(0x8100, tag(100, 0x0800, udp())))))
        yield ether_ip(udp(*outer, 50000, 6081, b"\x40" + geneve(1, 0x0800, tcp())[1:]))
        yield ether_ip(udp(*outer, 50000, 4789, vxlan(5, ether(0x8100, tag(100, 0x0800, udp())))))
        yield ether_ip(udp(*outer, 50000, 4789, vxlan(5, ether_ip(tcp()), flags=0)))
        nested = udp(A4, B4, 50000, 4789, vxlan(6, ether_ip(tcp())))
        yield ether_ip(udp(*outer, 50000, 4789, vxlan(5, ether_ip(nested))))
        yield ether_ip(udp(*outer, 50000, 8472, vxlan(5, ether_ip(tcp()))))
    yield ether_ip(ipv4(47, b"\0\0\x08\0" + tcp()))
    yield ether_ip(ipv4(4, tcp(C4, GATEWAY4)))
    yield ether_ip(ipv4(41, tcp(A6, B6)))
    yield ether_ip(ipv6(4, tcp()))


def ipv4_corners():
    for words in range(11):
        yield ether_ip(tcp(options=b"\x01" * 4 * words, flags=0x18, data=b"z" * words))
        yield ether_ip(udp(options=b"\x01" * 4 * words, sport=1024 + words))
    datagram = udp_segment(40000, 53, bytes(range(200)))
    for fragment, part in ((0x2000, datagram[:64]), (0x2008, datagram[64:128]), (0x0010, datagram[128:]),
                           (0x1fff, b"last"), (0x8000, datagram[:32]), (0, datagram)):
        yield ether_ip(ipv4(17, part, fragment=fragment))
    segment = tcp(flags=0x18, data=b"d" * 64)[20:]
    for fragment, part in ((0x2000, segment[:24]), (0x2003, segment[24:48]), (0x0006, segment[48:])):
        yield ether_ip(ipv4(6, part, fragment=fragment))
        yield ether_ip(ipv4(1, part, fragment=fragment))
        yield ether_ip(ipv4(132, part, fragment=fragment))
    for ttl, tos in ((1, 0), (2, 0xfc), (128, 0xb8), (255, 0x03), (0, 0xff)):
        yield ether_ip(icmp(ttl=ttl, tos=tos))
    for ihl, version in ((0, 4), (4, 4), (15, 4), (5, 5), (5, 6), (5, 0)):
        yield ether(0x0800, ipv4(6, tcp()[20:], ihl=ihl, version=version))
    yield ether_ip(udp(length=0))
    yield ether_ip(udp(length=65535))
    yield ether_ip(tcp(options=b"\x07\x0b\x04" + bytes(8) + b"\0", flags=0x18, data=b"route"))


def ipv6_corners():
    transport = {6: tcp(A6, B6)[40:], 17: udp(A6, B6)[40:], 58: icmp6()[40:], 132: sctp(A6, B6)[40:]}
    for protocol, segment in transport.items():
        yield ether_ip(ipv6(protocol, segment, traffic=0xb8, flow=0x12345))
        for header in (0, 43, 60):
            yield ether_ip(ipv6(header, extension(protocol) + segment))
            yield ether_ip(ipv6(header, extension(protocol, 24) + segment))
        yield ether_ip(ipv6(51, authentication(protocol) + segment))
        for offset, more in ((0, 1), (3, 1), (200, 0), (0, 0)):
            yield ether_ip(ipv6(44, fragment6(protocol, offset, more) + segment))
        yield ether_ip(ipv6(0, extension(43) + extension(60) + extension(44) + fragment6(51, 0, 1)
                            + authentication(protocol) + segment))
        chain = b"".join(extension(60) for _ in range(4))
        for depth in range(2, 9):
            yield ether_ip(ipv6(60, extension(60) * (depth - 1) + extension(protocol) + segment))
        yield ether_ip(ipv6(0, extension(60) + chain[:-8] + extension(50) + bytes(16)))
    yield ether_ip(ipv6(59, b""))
    yield ether_ip(ipv6(50, b"\0\0\x01\0\0\0\0\x01" + bytes(32)))
    yield ether_ip(ipv6(0, struct.pack(">BBBBI", 59, 0, 0xc2, 4, 70000) + bytes(16)))


def llc():
    ipx = struct.pack(">HHBBI6sHI6sH", 0xffff, 34, 0, 17, 0, mac(BROADCAST), 0x452, 0, mac(MAC_A), 0x452) + b"ipx!"
    bridge = b"\x80\0" + mac(MAC_A)
    stp = b"\x42\x42\x03" + bytes(5) + bridge + bytes(4) + bridge + b"\x80\x01\0\0\x14\0\x02\0\x0f\0"
    yield ether_802_3(stp, dst=STP_GROUP)
    yield ether_802_3(ipx, dst=BROADCAST)
    yield ether_802_3(b"\xe0\xe0\x03" + ipx, dst=BROADCAST)
    yield ether_802_3(snap(0, 0x8137, ipx), dst=BROADCAST)
    yield ether(0x8137, ipx, dst=BROADCAST)
    yield ether_802_3(b"\xf0\xf0\x03" + bytes(40), dst="03:00:00:00:00:01")
    for pdu in (15, 16, 17, 18, 20, 24, 25, 26, 27):  # IS-IS (ISO 10589)
        yield ether_802_3(b"\xfe\xfe\x03\x83" + bytes([27, 1, 0, pdu, 1, 0, 0]) + bytes(20), dst="01:80:c2:00:00:14")
    yield ether_802_3(b"\xfe\xfe\x03\x82" + bytes(20), dst="09:00:2b:00:00:04")
    yield ether_802_3(b"\xfe\xfe\x03\x81" + bytes(20))
    for control in (0x03, 0x73, 0x63, 0x43, 0x0f, 0x6f, 0xaf, 0xbf, 0xe3, 0xf3, 0x87, 0x13):
        yield ether_802_3(b"\x04\x05" + bytes([control]) + bytes(10))
    for control in (b"\x01\x10", b"\x05\x11", b"\x09\x20", b"\x0d\x20", b"\x00\x02", b"\x12\x35"):
        yield ether_802_3(b"\x04\x04" + control + bytes(10))
    yield ether_802_3(b"\x06\x06\x03" + udp())
    yield ether_802_3(snap(0, 0x0800, tcp()))
    yield ether_802_3(snap(0, 0x86dd, tcp(A6, B6)))
    yield ether_802_3(snap(0, 0x0806, arp()), dst=BROADCAST)
    yield ether_802_3(snap(0x080007, 0x809b, bytes(20)))
    yield ether_802_3(snap(0, 0x80f3, bytes(28)), dst="09:00:07:ff:ff:ff")
    yield ether_802_3(snap(0x00000c, 0x2000, b"\x02\xb4" + bytes(20)), dst="01:00:0c:cc:cc:cc")
    for kind in (0x809b, 0x80f3, 0x6001, 0x6002, 0x6003, 0x6004, 0x6007, 0x8809, 0x88cc, 0x88a2, 0x9000, 0x1234):
        yield ether(kind, bytes(range(46)))
    long_header = b"\x06\0\0" + mac("aa:00:04:00:01:04") + b"\0\0" + mac("aa:00:04:00:02:04") + bytes(4)
    short_header = b"\x02" + struct.pack("<HHB", 1 << 10 | 2, 1 << 10 | 1, 0)
    for header in (long_header, b"\x81" + long_header, short_header, b"\x81" + short_header):
        decnet = struct.pack("<H", len(header) + 10) + header + bytes(10)
        yield ether(0x6003, decnet.ljust(46, b"\0"), dst="aa:00:04:00:01:04")
    for length in (0, 1, 2, 3, 1500, 1501, 1535, 1536):
        yield ether(length, b"\xaa\xaa\x03" + bytes(43))


def truncated():
    """Prefixes: (captured bytes, length on the wire)."""
    whole = (ether_ip(tcp(options=b"\x01" * 4, flags=0x18, data=b"data")), ether_ip(udp(A6, B6)),
             ether(0x8100, tag(100, 0x0800, udp())), ether(0x0806, arp()),
             ether_ip(ipv6(44, fragment6(6, 0, 1) + tcp(A6, B6)[40:])))
    for packet in whole:
        for size in (*range(0, 16), *range(16, len(packet), 3), len(packet) - 1):
            yield packet[:size], len(packet)
    yield whole[0], 65535
    yield whole[0], 0


def services():
    """What clients and servers of well-known services say, and what attacks make of that."""
    answer = DNS_QUERY[:2] + b"\x81\x83" + DNS_QUERY[4:]
    yield udp(B4, A4, 53, 40000, answer)
    yield udp(B4, A4, 53, 40000, answer + bytes(600))
    yield udp(B4, A4, 67, 68, b"\x02\x01\x06\0" + bytes(236))
    yield udp("0.0.0.0", "255.255.255.255", 68, 67, b"\x01\x01\x06\0" + bytes(236))
    yield udp(LINK6, "ff02::1:2", 546, 547, b"\x01\x12\x34\x56")
    yield udp(A4, B4, 123, 123, b"\x23" + bytes(47))
    yield udp(B4, A4, 123, 40000, b"\xd7" + bytes(439))
    yield udp(A4, B4, 17000, 17002, b"\x80\x60" + bytes(10))
    yield udp(A4, B4, 40000, 51820, b"\x01\0\0\0" + bytes(144))
    yield udp(A4, B4, 40000, 443, b"\xc3\0\0\0\x01" + bytes(40))
    yield udp(A4, B4, 40000, 69, b"\0\x01file\0octet\0")
    yield udp(A4, B4, 2152, 2152, b"\x30\xff" + struct.pack(">HI", len(icmp()), 7) + icmp())
    yield udp(A4, B4, 40000, 4789, b"\0" * 8)
    yield udp(C4, "10.0.0.255", 40000, 33434, b"")
    yield udp(A4, B4, 0, 65535, b"")
    for port in (500, 520, 521, 646, 1194, 1900, 1985, 2055, 3784, 4739, 11211):
        yield udp(C4, "224.0.0.2" if port in (520, 1985) else GATEWAY4, port, port, bytes(24), ttl=1)
    for port in (513, 646, 873, 2049, 2379, 3306, 5201, 5432, 6443, 6667):
        yield tcp(A4, B4, 40000, port)
    for port, data in ((80, b"POST /form HTTP/1.1\r\n\r\n"), (80, b"PUT /file HTTP/1.1\r\n\r\n"), (22, b"SSH-2.0-weir\r\n"),
                       (25, b"MAIL FROM:<a@example.org>\r\n"), (443, b"\x16\x03\x01\0\x40\x01\0\0\x3c" + bytes(60)),
                       (443, b"\x15\x03\x03\0\x02\x02\x28"), (179, b"\xff" * 16 + b"\0\x15\x03\x06\x02")):
        yield tcp(A4, B4, 40000, port, flags=0x18, data=data)
        yield tcp(A6, B6, 40000, port, flags=0x18, data=data, options=b"\x01" * 12)


def odd_segments():
    """TCP and UDP as only scans, attacks and broken stacks send them."""
    for flags in (0x00, 0x03, 0x29, 0xff, 0x14, 0x04):
        yield tcp(flags=flags)
        yield tcp(A6, B6, flags=flags)
    yield tcp(flags=0x10, ack=0)
    yield tcp(flags=0x10, window=0)
    yield tcp(flags=0x02, options=b"\x02\x04\x01\0")
    yield tcp(A4, A4, 80, 80)
    yield tcp(C4, B4, 40000, 3389)
    yield tcp(A4, C4, 40000, 80, flags=0x18, tos=4, data=bytes(1500))
    yield tcp("172.16.0.3", A4, 40000, 22)
    yield tcp(B4, C4, 40000, 80)
    yield tcp(A6, "2001:db8::5", 40000, 80)
    yield tcp("::ffff:10.0.0.1", "::10.0.0.2")
    yield tcp("::1", "::1")
    yield tcp("127.0.0.1", "127.0.0.1")
    yield ipv4(17, struct.pack(">HHHH", 40000, 53, 4, 0))
    for option in (b"\x83\x07\x04" + ip4(C4) + b"\0", b"\x89\x07\x04" + ip4(C4) + b"\0", b"\x07\x07\x04" + bytes(5)):
        yield ipv4(6, tcp()[20:], options=option)
    yield ipv4(51, authentication(6) + tcp()[20:])
    yield sctp(A4, B4, 36412, 5000)
    yield udp(tos=0x2e)
    yield udp(A6, B6, traffic=0x03)


def control_messages():
    """Each type of ICMP and ICMPv6 that has a name, and what routers say to each other."""
    for kind, code in ((3, 4), (3, 13), (4, 0), (9, 0), (10, 0), (12, 0), (14, 0), (15, 0), (16, 0), (18, 0)):
        yield icmp(kind, code)
    yield icmp(rest=bytes(range(100)), tos=0xb8)
    for kind in (1, 4, 130, 131, 132, 137, *range(138, 150), *range(151, 154)):
        yield icmp6(kind, 4 if kind == 1 else 0, src=LINK6, dst=NODES6)
    yield icmp6(134, src=LINK6, dst=NODES6, hops=64)
    yield ipv4(89, b"\x02\x01\0\x2c" + bytes(40), GATEWAY4, "224.0.0.5", ttl=1)
    yield ipv6(89, b"\x03\x01\0\x24" + bytes(32), LINK6, "ff02::5", hops=1)
    yield ipv4(112, b"\x21\x01\x64\x01\0\x01" + bytes(10), GATEWAY4, "224.0.0.18", ttl=255)


def operations():
    for packet in (*services(), *odd_segments(), *control_messages()):
        yield ether_ip(packet)
    yield ether_ip(tcp(A4, A4), src=MAC_A, dst=MAC_A)
    yield ether_ip(tcp()).ljust(60, b"\0")
    yield ether_ip(udp(C4, "10.0.0.255", 138, 138))
    yield ether(0x8809, b"\x01\x01" + bytes(108), dst="01:80:c2:00:00:02")
    yield ether(0x888e, b"\x02\x01\0\0" + bytes(42), dst="01:80:c2:00:00:03")
    yield ether(0x0806, arp(1, A4, A4), dst=BROADCAST)
    yield ether(0x0806, arp(2, A4, A4), dst=BROADCAST)
    yield ether(0x0806, arp(2, A4, C4), src=MAC_C)


def both_families():
    yield from conversations(A4, B4)
    yield from conversations(A6, B6)
    yield icmp()
    yield icmp6()
    yield udp(C4, "224.0.0.251", 5353, 5353)
    yield ipv4(17, b"fragment", fragment=0x2010)
    yield ipv6(44, fragment6(6, 0, 1) + tcp(A6, B6)[40:])
    for outer in ((A4, B4), (A6, B6)):
        yield udp(*outer, 50000, 6081, geneve(77, 0x6558, ether_ip(tcp())))
    yield ipv6(60, extension(6) + tcp(A6, B6)[40:])


def raw():
    yield from both_families()
    yield b"\x50" + tcp()[1:]
    yield b"\0" * 40


def only(version):
    return (packet for packet in both_families() if packet[0] >> 4 == version)


def family(order, inet6):
    for packet in both_families():
        yield struct.pack(order + "I", 2 if packet[0] >> 4 == 4 else inet6) + packet
    for number in (24, 28, 30, 10, 7):
        yield struct.pack(order + "I", number) + tcp(A6, B6)


def sll_kinds():
    """Direction, hardware type, protocol, packet: as Linux writes them into cooked headers."""
    for number, packet in enumerate(both_families()):
        yield number % 5, 1, 0x0800 if packet[0] >> 4 == 4 else 0x86dd, packet
    yield 1, 1, 0x0806, arp()
    yield 0, 1, 0x8100, tag(100, 0x0800, tcp())
    yield 4, 772, 0x0800, icmp()
    yield 2, 1, 0x0004, b"\x42\x42\x03" + bytes(35)
    yield 2, 1, 0x0004, snap(0, 0x0800, tcp())
    yield 2, 1, 0x0001, b"\xff\xff" + bytes(30)
    yield 0, 280, 0x000c, bytes(16)


def linux_sll():
    for direction, hardware, protocol, packet in sll_kinds():
        yield struct.pack(">HHH6s2xH", direction, hardware, 6, mac(MAC_A), protocol) + packet


def linux_sll2():
    for number, (direction, hardware, protocol, packet) in enumerate(sll_kinds()):
        yield struct.pack(">HHIHBB6s2x", protocol, 0, 1 + number % 3, hardware, direction, 6, mac(MAC_A)) + packet


def ppp():
    for packet in both_families():
        yield b"\xff\x03" + (b"\0\x21" if packet[0] >> 4 == 4 else b"\0\x57") + packet
    for protocol in (0xc021, 0x8021, 0x8057, 0x00fd, 0x002d, 0x002b, 0x0029, 0x0031):
        yield b"\xff\x03" + struct.pack(">H", protocol) + b"\x01\x01\0\x04" + bytes(20)
    yield b"\xff\x03\x02\x81" + label(1024, tcp())
    yield b"\xff\x03\x02\x83" + label(1024, tcp(A6, B6))
    yield b"\xff\x03\x02\x81" + label(1024, tcp(A6, B6))


def frames_802_11():
    beacon = bytes(8) + b"\x64\0\x11\x04\0\x04weir\x01\x04\x82\x84\x8b\x96"
    for subtype in (0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13):
        yield wlan(0, subtype, addresses=(BROADCAST if subtype in (4, 8) else MAC_B, MAC_A, MAC_A), body=beacon)
    for subtype in (8, 9, 10, 11, 14, 15):
        yield wlan(1, subtype, addresses=(MAC_B, MAC_A))
    for subtype in (12, 13):
        yield wlan(1, subtype, addresses=(MAC_B,))
    four = (MAC_B, MAC_A, MAC_C, "02:00:00:00:00:04")
    for flags in (0, 1, 2, 3):
        addresses = four if flags == 3 else four[:3]
        for subtype in (0, 8):
            for kind, packet in inner_packets():
                yield wlan(2, subtype, flags, addresses, qos=subtype == 8, body=snap(0, kind, packet))
        yield wlan(2, 4, flags, addresses)
        yield wlan(2, 12, flags, addresses, qos=True)
    yield wlan(2, 0, 0x41, body=bytes(8) + b"secret")
    yield wlan(2, 0, 1, body=b"\x42\x42\x03" + bytes(35))
    yield wlan(2, 0, 2, addresses=(BROADCAST, MAC_A, MAC_C), body=snap(0, 0x0806, arp()))
    yield wlan(2, 0, 2, addresses=("01:00:5e:00:00:fb", MAC_A, MAC_C), body=snap(0, 0x0800, udp()))
    yield wlan(2, 8, 1, qos=True, body=snap(0, 0x8100, tag(100, 0x0800, tcp())))
    for subtype in (1, 2, 3, 5, 6, 7, 9, 10, 11, 14, 15):
        yield wlan(2, subtype, 1, qos=subtype > 7, body=b"" if subtype & 4 else snap(0, 0x0800, udp()))
    yield wlan(2, 0, 0, addresses=(MAC_A, MAC_A, MAC_C), body=snap(0, 0x0800, tcp()))


def ieee802_11_radio():
    for frame in frames_802_11():
        yield radiotap(frame)
    for stamped in (False, True):
        for extended in (False, True):
            for flags, addresses in ((1, (MAC_B, MAC_A, MAC_C)), (3, (MAC_B, MAC_A, MAC_C, "02:00:00:00:00:04"))):
                padded = wlan(2, 8, flags, addresses, qos=True, body=snap(0, 0x0800, tcp()), pad=True)
                yield radiotap(padded, padded=True, stamped=stamped, extended=extended)
                plain = wlan(2, 8, flags, addresses, qos=True, body=snap(0, 0x0800, udp()))
                yield radiotap(plain, stamped=stamped, extended=extended)
    yield radiotap(wlan(2, 8, 1, qos=True))[:12]


def pflog():
    """Family, action, reason, interface, ruleset, rule, subrule, direction (OpenBSD's if_pflog.h; IPv6 is 24 there, and
    10 for filters that are not for a savefile)."""
    logged = [(2 if packet[0] >> 4 == 4 else 24, packet) for packet in both_families()]
    logged += [(10, packet) for packet in (tcp(A6, B6), udp(A6, B6), icmp6())]
    for number, (inet, packet) in enumerate(logged):
        head = struct.pack(">BBBB16s16sII16xB3x", 61, inet, number % 11, number % 15,
                           (b"em0", b"em1")[number % 2], (b"", b"web", b"mail")[number % 3], number % 8, number % 3, 1 + number % 2)
        yield head + packet
    yield struct.pack(">BBBB16s16sII16xB3x", 61, 7, 1, 0, b"em0", b"", 3, 0, 1) + bytes(20)


def sunatm():
    """Kind of traffic (1 LANE, 2 LLC, 6 signalling), VPI, VCI."""
    for kind, packet in inner_packets():
        yield struct.pack(">BBH", 2, 0, 33) + snap(0, kind, packet)
        yield struct.pack(">BBH", 0x82, 3, 40) + snap(0, kind, packet)
        yield struct.pack(">BBH", 1, 0, 34) + b"\0\0" + ether(kind, packet, dst=BROADCAST)
    for circuit in (1, 2, 3, 4, 5, 16, 32):
        yield struct.pack(">BBH", 0, 0, circuit) + bytes(48)
    for message in (0x02, 0x05, 0x07, 0x0f, 0x4d, 0x5a, 0x62):
        for circuit in (1, 5):
            yield struct.pack(">BBH", 6, 0, circuit) + b"\x09\x03\0\0\1" + bytes([message]) + bytes(20)
    yield struct.pack(">BBH", 2, 0, 33) + b"\x42\x42\x03" + bytes(35)


def mtp2():
    """Sequence numbers, length indicator, service octet, routing label (ITU-T Q.704 section 15)."""
    yield b"\xff\xff\0"
    yield b"\xff\xff\1\0"
    yield b"\xff\xff\2\1\0"
    for service, origin, destination, selection in ((3, 100, 200, 5), (5, 100, 300, 0), (0x83, 101, 200, 5), (5, 16383, 1, 15)):
        label = struct.pack("<I", destination | origin << 14 | selection << 28)
        yield b"\x81\x82\x3f" + bytes([service]) + label + bytes(40)
        yield b"\x81\0\x82\0" + struct.pack("<H", 60) + bytes([service]) + label + bytes(40)
    yield b"\x81\0\x82\0\0\0"
    yield b"\x81\0\x82\0\1\0\0"


def few():
    return [ether_ip(tcp()), ether_ip(udp(A6, B6)), ether(0x0806, arp(), dst=BROADCAST)]


CAPTURES = {
    "ethernet.pcap": lambda: pcap(EN10MB, ethernet()),
    "vlan.pcap": lambda: pcap(EN10MB, vlan()),
    "mpls.pcap": lambda: pcap(EN10MB, mpls()),
    "pppoe.pcap": lambda: pcap(EN10MB, pppoe_frames()),
    "tunnels.pcap": lambda: pcap(EN10MB, tunnels()),
    "ipv4.pcap": lambda: pcap(EN10MB, ipv4_corners()),
    "ipv6.pcap": lambda: pcap(EN10MB, ipv6_corners()),
    "llc.pcap": lambda: pcap(EN10MB, llc()),
    "operations.pcap": lambda: pcap(EN10MB, operations()),
    "truncated.pcap": lambda: pcap(EN10MB, truncated()),
    "link_raw.pcap": lambda: pcap(RAW, raw()),
    "link_ipv4.pcap": lambda: pcap(IPV4, only(4)),
    "link_ipv6.pcap": lambda: pcap(IPV6, only(6)),
    "link_null_little.pcap": lambda: pcap(NULL, family("<", 30)),
    "link_null_big.pcap": lambda: pcap(NULL, family(">", 28), order=">"),
    "link_loop.pcap": lambda: pcap(LOOP, family(">", 24)),
    "link_linux_sll.pcap": lambda: pcap(LINUX_SLL, linux_sll()),
    "link_linux_sll2.pcap": lambda: pcap(LINUX_SLL2, linux_sll2()),
    "link_ppp.pcap": lambda: pcap(PPP, ppp()),
    "link_ieee802_11_radio.pcap": lambda: pcap(RADIOTAP, ieee802_11_radio()),
    "link_pflog.pcap": lambda: pcap(PFLOG, pflog()),
    "link_sunatm.pcap": lambda: pcap(SUNATM, sunatm()),
    "link_mtp2.pcap": lambda: pcap(MTP2, mtp2()),
    "format_big_endian.pcap": lambda: pcap(EN10MB, few(), order=">"),
    "format_nano.pcap": lambda: pcap(EN10MB, few(), nano=True),
    "format_nano_big_endian.pcap": lambda: pcap(EN10MB, few(), order=">", nano=True),
    "format_micro.pcapng": lambda: pcapng(EN10MB, few()),
    "format_nano.pcapng": lambda: pcapng(EN10MB, few(), nano=True),
    "format_big_endian.pcapng": lambda: pcapng(EN10MB, few(), order=">"),
}


def check():
    readme = (HERE.parent / "README.md").read_text()
    wrong = [name for name, make in CAPTURES.items()
             if not (HERE / name).exists() or (HERE / name).read_bytes() != make()]
    strays = [file.name for file in HERE.glob("*.pcap*") if file.name not in CAPTURES]
    unexplained = [name for name in CAPTURES if f"`{name}`" not in readme]
    for what, names in (("differs from what is made", wrong), ("is not made here", strays),
                        ("is not in ../README.md", unexplained)):
        for name in names:
            print(f"{name} {what}")
    print(f"{len(CAPTURES)} captures compared")
    return bool(wrong or strays or unexplained)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--check":
        sys.exit(check())
    for name, make in CAPTURES.items():
        (pathlib.Path(sys.argv[1]) / name).write_bytes(make())


if __name__ == "__main__":
    main()
