#!/usr/bin/env python3
"""weir capture beside tcpdump: the same packets, byte by byte, for a mixture of ten thousand and a choice of filters."""
import itertools
import random
import re
import signal
import struct
import sys
import time
import unittest

from network import NetworkTest, SOURCE, main, read_pcap

sys.path.insert(0, str(SOURCE / "corpus" / "packets"))
import frames as make  # noqa: E402
import savefiles  # noqa: E402

FILTERS = ("", "vlan", "vlan 5 and ip", "not vlan", "inbound", "outbound", "ip6", "tcp port 80", "host 10.0.0.2",
           "len > 100", "vlan and vlan and udp", "ip[6:2] & 0x3fff != 0")
COOKED_FILTERS = ("", "tcp port 80", "ip6", "inbound", "host 10.0.0.2 and not icmp", "link[8:2] = 1 and arp")
COUNT = 10000


def corpus():
    """The Ethernet frames of the corpus that an interface can send."""
    frames = []
    for path in sorted((SOURCE / "corpus" / "packets").glob("*.pcap")):
        header, records = read_pcap(path) if path.read_bytes()[:4] == struct.pack("=I", 0xa1b2c3d4) else (bytes(24), [])
        if struct.unpack("=I", header[20:])[0] == savefiles.EN10MB:
            frames += [data for _, _, data, _ in records if len(data) >= 14]
    return frames


def varied(chance):
    """A frame of any kind."""
    host = lambda: f"10.0.0.{chance.randrange(1, 6)}"
    data = bytes(chance.randrange(256) for _ in range(chance.choice((0, 1, 20, 80, 200))))
    data *= chance.choice((1, 1, 1, 1, 6, 40))  # larger than 1500 now and then
    ports = {"sport": chance.choice((80, 443, 50000)), "dport": chance.choice((53, 80, 8080))}
    kind = chance.randrange(8)
    if kind == 0:
        return make.ether(0x0806, make.arp(chance.choice((1, 2)), host(), host()))
    if kind == 1:
        packet = make.udp(src=make.A6, dst=make.B6, data=data, **ports)
        return make.ether(0x86dd, packet)
    if kind == 2:
        return make.ether(0x86dd, make.tcp(src=make.A6, dst=make.B6, data=data, **ports))
    if kind == 3:
        return make.ether(0x0800, make.icmp(src=host(), dst=host(), rest=b"\0\1\0\1" + data))
    if kind == 4:
        return make.ether(0x0800, make.udp(src=host(), dst=host(), data=data, fragment=chance.choice((0x2000, 0x2010, 5)), **ports))
    if kind == 5:
        return make.ether(0x0800, make.udp(src=host(), dst=host(), data=data, **ports))
    return make.ether(0x0800, make.tcp(src=host(), dst=host(), data=data, **ports))


def tagged(frame, chance):
    """Sometimes with VLAN tags: none, one, two, with priority, without a number, of the outer kind."""
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        tag = struct.pack(">HH", chance.choice((0x8100, 0x8100, 0x88a8)), chance.choice((5, 5, 7, 0xa005, 0, 0x1005)))
        frame = frame[:12] + tag + frame[12:]
    return frame


def mixture():
    chance = random.Random(1)
    known = corpus()
    for _ in range(COUNT):
        frame = chance.choice(known) if chance.random() < 0.3 else varied(chance)
        yield tagged(frame, chance), chance.random() < 0.5


class Tcpdump:
    """Beside ours. libpcap runs a filter itself on the first block of packets that the kernel hands it (pcap-linux.c,
    blocks_to_filter_in_userland), and there `inbound` and `outbound` match nothing: these packets it loses."""

    def __init__(self, capture):
        self.capture = capture
        self.asked = 0
        self.lost = 0

    def missing(self):
        """How many packets it has not taken from the kernel, as it answers to USR1."""
        self.asked += 1
        self.capture.process.send_signal(signal.SIGUSR1)
        line = self.capture.wait_for("received by filter", self.asked)
        captured, received, dropped = map(int, re.findall(r"(\d+) packets? (?:captured|received|dropped)", line))
        return received - dropped - captured - self.lost

    def wait_for_all(self):
        """It has no way to end with what the kernel still keeps back, which may be for a second."""
        deadline = time.monotonic() + 10
        while self.missing() > 0 and time.monotonic() < deadline:
            time.sleep(0.05)


def without_stray_bytes(link_type, record):
    """A cooked header has room for eight bytes of address; what is behind one of six the kernel leaves to chance (sll_addr of packet(7))."""
    seconds, fraction, data, length = record
    room = {savefiles.LINUX_SLL: (6, data[4:6]), savefiles.LINUX_SLL2: (12, data[11:12])}.get(link_type)
    if room is None or len(data) < room[0] + 8:
        return record
    start, size = room[0], min(int.from_bytes(room[1], "big"), 8)
    return seconds, fraction, data[:start + size] + bytes(8 - size) + data[start + 8:], length


class SamePackets(NetworkTest):
    def send_mixture(self):
        inwards, outwards = self.sender("near"), self.sender("far")
        for frame, inbound in mixture():
            (inwards if inbound else outwards).send(frame)

    def get_past_the_first_block(self, tcpdumps, filters):
        inwards, outwards = self.sender("near"), self.sender("far")
        for frame, inbound in itertools.islice(mixture(), 200):
            (inwards if inbound else outwards).send(frame)
        time.sleep(1.3)  # it is handed over after a second
        for tcpdump, expression in zip(tcpdumps, filters):
            if "bound" not in expression:
                tcpdump.wait_for_all()
        for tcpdump, expression in zip(tcpdumps, filters):
            if "bound" in expression:
                tcpdump.lost = tcpdump.missing()

    def compare(self, name, theirs, ours, lost):
        their_header, their_records = read_pcap(theirs)
        our_header, our_records = read_pcap(ours)
        self.assertEqual(our_header, their_header, name)
        self.assertEqual(len(our_records), len(their_records) + lost, name)
        link_type = struct.unpack("=I", our_header[20:])[0]
        for number, (our, their) in enumerate(zip(our_records[lost:], their_records)):
            self.assertEqual(without_stray_bytes(link_type, our), without_stray_bytes(link_type, their), f"{name}: packet {number}")
        return len(our_records)

    def run_side_by_side(self, filters, options, interface="far"):
        """How many packets each of the filters kept."""
        stamper = self.network.same_stamps()
        self.addCleanup(stamper.close)
        tcpdumps, captures = [], []
        for number, expression in enumerate(filters):
            tcpdumps.append(Tcpdump(self.capture("tcpdump", "-i", interface, "-B", "32768", "-Z", "root",
                                                 "-w", f"theirs{number}", *options, expression)))
            captures.append(self.weir("-i", interface, "-w", f"ours{number}", *options, expression))
        self.get_past_the_first_block(tcpdumps, filters)
        self.send_mixture()
        kept = []
        for number, (tcpdump, ours) in enumerate(zip(tcpdumps, captures)):
            tcpdump.wait_for_all()
            self.assertEqual(tcpdump.capture.end()[0], 0)
            status, messages = ours.end()
            self.assertEqual(status, 0, messages)
            kept.append(self.compare(filters[number], f"theirs{number}", f"ours{number}", tcpdump.lost))
            received = r"\d+ packets received before the" if "runs in this process" in messages else f"{kept[-1]} packets received by"
            self.assertRegex(messages, f"\n{kept[-1]} packets captured\n{received} filter\n0 packets dropped by kernel\n")
        return kept

    def test_filters(self):
        kept = self.run_side_by_side(FILTERS, [])
        self.assertGreater(kept[0], COUNT)  # most of the 200 before them, without those whose tags the kernel cannot read
        for expression, number in zip(FILTERS, kept):
            self.assertGreater(number, 0, expression)
        self.assertEqual(kept[FILTERS.index("inbound")] + kept[FILTERS.index("outbound")], kept[0])

    def test_snapshot_length(self):
        self.run_side_by_side(("", "vlan", "tcp port 80"), ["-s", "60"])
        self.run_side_by_side(("",), ["-s", "13"])

    def test_without_optimizer(self):
        self.run_side_by_side(("vlan 5 and ip", "tcp port 80 or ip6 or vlan 7"), ["-O"])

    def test_all_interfaces(self):
        """Each frame is seen on both ends of the pair. Header fields that the kernel does not show are looked at here."""
        kept = self.run_side_by_side(COOKED_FILTERS, [], "any")
        self.assertGreater(kept[0], 2 * COUNT)
        for expression, number in zip(COOKED_FILTERS, kept):
            self.assertGreater(number, 0, expression)

    def test_all_interfaces_under_the_older_header(self):
        self.run_side_by_side(("", "ip6 or arp"), ["-y", "LINUX_SLL"], "any")
        self.run_side_by_side(("tcp",), ["-y", "LINUX_SLL", "-s", "60"], "any")
        self.run_side_by_side(("tcp",), ["-s", "60"], "any")


if __name__ == "__main__":
    main()
