"""Classic pcap and pcapng files. A packet is its bytes, or a pair of them and its length on the wire."""
import struct

EN10MB, NULL, PPP, RAW, LOOP, LINUX_SLL, PFLOG, SUNATM, RADIOTAP, MTP2, IPV4, IPV6, LINUX_SLL2 = (
    1, 0, 9, 101, 108, 113, 117, 123, 127, 140, 228, 229, 276)


def records(packets):
    for packet in packets:
        yield packet if isinstance(packet, tuple) else (packet, len(packet))


def pcap(link_type, packets, order="<", nano=False):
    out = struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, 262144, link_type)
    for number, (packet, length) in enumerate(records(packets)):
        fraction = 123456789 + number if nano else 123456 + number
        out += struct.pack(order + "IIII", 1700000000 + number, fraction, len(packet), length) + packet
    return out


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(link_type, packets, order="<", nano=False):
    out = block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
    resolution = struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0) if nano else b""
    out += block(order, 1, struct.pack(order + "HHI", link_type, 0, 262144) + resolution)
    for number, (packet, length) in enumerate(records(packets)):
        ticks = (1700000000 + number) * 10 ** 9 + 123456789 if nano else (1700000000 + number) * 10 ** 6 + 123456
        head = struct.pack(order + "5I", 0, ticks >> 32, ticks & 0xffffffff, len(packet), length)
        out += block(order, 6, head + packet)
    return out
