"""weir filter: what comes out for what goes in, whole, damaged or interrupted."""
import os
import pathlib
import signal
import struct
import subprocess
import time
import unittest

from program import PACKETS, ProgramTest, WEIR, run


def records(data):
    """Of a little-endian pcap file."""
    at, found = 24, []
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        found.append(data[at:at + 16 + size])
        at += 16 + size
    return found


class Packets(ProgramTest):
    def test_the_same_packets_as_tcpdump(self):
        for capture in sorted(PACKETS.glob("*.pcap")):
            if "big" in capture.name or "pflog" in capture.name:
                continue  # tcpdump writes the order of this host, and takes its family of IPv6 for that of pf's
            for expression in ("", "ip", "ip6", "tcp", "udp port 53", "host 10.0.0.2", "less 100", "ip[8] > 60"):
                with self.subTest(capture=capture.name, expression=expression):
                    nano = ["--nano"] if "nano" in capture.name else []
                    theirs = subprocess.run(["tcpdump", "-r", capture, *nano, "-w", "-", expression],
                                            capture_output=True)
                    if b"rejects all packets" in theirs.stderr:
                        continue  # for weir that is no error
                    if theirs.returncode != 0:  # no such primitive on this link type
                        self.assertEqual(run("filter", "-r", capture, "-w", "out.pcap", expression).returncode, 2)
                        continue
                    self.check("filter", "-r", capture, "-w", "out.pcap", expression)
                    self.assertEqual(pathlib.Path("out.pcap").read_bytes(), theirs.stdout)

    def test_classic_files_come_out_as_they_went_in(self):
        for capture in PACKETS.glob("*.pcap"):
            self.check("filter", "-r", capture, "-w", "out.pcap")
            self.assertEqual(pathlib.Path("out.pcap").read_bytes(), capture.read_bytes(), capture.name)

    def test_byte_order_of_families(self):
        for capture in ("link_null_little.pcap", "link_null_big.pcap"):
            options = ("-r", PACKETS / capture, "--count", "ip")
            theirs = subprocess.run(["tcpdump", *options], capture_output=True, text=True)
            self.assertEqual(self.check("filter", *options), theirs.stdout)
            self.assertNotEqual(theirs.stdout, "0 packets\n")

    def test_broadcasts_without_a_netmask(self):
        """What tcpdump takes can be had when it is asked for."""
        options = ("-r", PACKETS / "ethernet.pcap", "--count")
        theirs = subprocess.run(["tcpdump", *options, "ip broadcast"], capture_output=True, text=True)
        self.assertEqual(self.check("filter", *options, "-m", "0.0.0.0", "ip broadcast"), theirs.stdout)
        self.check_error(2, "netmask not known", "filter", *options, "ip broadcast")

    def test_pcapng(self):
        for name, magic in (("format_micro.pcapng", b"\xd4\xc3\xb2\xa1"), ("format_nano.pcapng", b"\x4d\x3c\xb2\xa1"),
                            ("format_big_endian.pcapng", b"\xa1\xb2\xc3\xd4")):
            self.check("filter", "-r", PACKETS / name, "-w", "out.pcap", "ip or ip6")
            data = pathlib.Path("out.pcap").read_bytes()
            self.assertEqual(data[:4], magic, name)
        self.check("filter", "-r", PACKETS / "format_nano.pcapng", "-w", "out.pcap", "arp")
        record = pathlib.Path("out.pcap").read_bytes()[24:]
        self.assertEqual(struct.unpack_from("<IIII", record), (1700000002, 123456789, 42, 42))

    def test_count(self):
        counted = ("filter", "-r", PACKETS / "ethernet.pcap", "--count", "arp")
        self.assertEqual(self.check(*counted), "5 packets\n")
        self.assertEqual(self.check(*counted, "-c1"), "1 packet\n")
        self.assertEqual(self.check(*counted, "-w", "out"), "5 packets\n")
        self.assertEqual(len(records(pathlib.Path("out").read_bytes())), 5)

    def test_limit(self):
        self.check("filter", "-r", PACKETS / "ethernet.pcap", "-c", "3", "-w", "out", "tcp")
        whole = (PACKETS / "ethernet.pcap").read_bytes()
        self.assertEqual(records(pathlib.Path("out").read_bytes()), records(whole)[:3])
        for wrong in ("0", "-1", "x", "1.5"):
            self.check_error(2, "-c takes", "filter", "-r", "x", "-c", wrong)

    def test_lines(self):
        self.assertEqual(self.check("filter", "-r", PACKETS / "format_nano.pcap").splitlines(), [
            "22:13:20.123456789 IP 10.0.0.1.40000 > 10.0.0.2.80: TCP [S], length 54",
            "22:13:21.123456790 IP6 2001:db8::1.40000 > 2001:db8:0:1::2.53: UDP, length 91",
            "22:13:22.123456791 ARP, who-has 10.0.0.2 tell 10.0.0.1, length 42"])

    def test_lines_behind_extension_headers(self):
        lines = self.check("filter", "-r", PACKETS / "ipv6.pcap").splitlines()
        self.assertEqual(lines[1].partition(" ")[2], "IP6 2001:db8::1.40000 > 2001:db8:0:1::2.80: TCP [S], length 82")
        self.assertEqual(lines[9].partition(" ")[2], "IP6 2001:db8::1 > 2001:db8:0:1::2: fragment at 24 of protocol 6, length 82")
        self.assertFalse(any("protocol 0" in line or "protocol 44" in line for line in lines))

    def test_in_place(self):
        pathlib.Path("a.pcap").write_bytes((PACKETS / "vlan.pcap").read_bytes())
        self.check("filter", "-r", "a.pcap", "-w", "a.pcap", "vlan 100")
        self.assertEqual(self.files(), ["a.pcap"])
        elsewhere = run("filter", "-r", PACKETS / "vlan.pcap", "-w", "-", "vlan 100").stdout
        self.assertEqual(pathlib.Path("a.pcap").read_bytes(), elsewhere)


MICRO, NANO = 0xa1b2c3d4, 0xa1b23c4d


def header(order="<", magic=MICRO, snaplen=65535, link_type=1):
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type)


def record(size, number=0, order="<", length=None):
    """An Ethernet frame, every second one of IPv4."""
    frame = (bytes(12) + (b"\x08\x00" if number % 2 else b"\x08\x06") + number.to_bytes(4, "big") + bytes(size))[:size]
    return struct.pack(order + "4I", 1700000000 + number, number % 1000000, size, size if length is None else length) + frame


class Batches(ProgramTest):
    """Packets are read and looked at many at a time; nothing of that is to be seen."""

    def setUp(self):
        super().setUp()
        sizes = (60, 1514, 61, 700, 14, 9000)
        self.records = [record(sizes[n * 7 % len(sizes)], n) for n in range(3000)]
        pathlib.Path("in.pcap").write_bytes(header() + b"".join(self.records))

    def test_every_limit(self):
        for limit in (1, 2, 63, 64, 65, 127, 128, 255, 256, 257, 511, 512, 513, 1024, 1499, 1500, 1501, 3000):
            self.check("filter", "-r", "in.pcap", "-w", "out.pcap", "-c", limit, "ip")
            self.assertEqual(pathlib.Path("out.pcap").read_bytes(), header() + b"".join(self.records[1::2][:limit]), limit)
            self.assertEqual(self.check("filter", "-r", "in.pcap", "--count", "-c", limit), f"{limit} packet{'s' * (limit > 1)}\n")

    def test_inverted(self):
        for expression, kept in (("ip", self.records[::2]), ("arp", self.records[1::2]), ("ip or arp", []), ("", []), ("udp", self.records)):
            self.check("filter", "-r", "in.pcap", "-w", "out.pcap", "--invert", expression)
            self.assertEqual(pathlib.Path("out.pcap").read_bytes(), header() + b"".join(kept), expression)
            self.assertEqual(self.check("filter", "-r", "in.pcap", "--count", "--invert", expression), f"{len(kept)} packets\n")
        self.check("filter", "-r", "in.pcap", "-w", "out.pcap", "--invert", "-c", "70", "ip")
        self.assertEqual(pathlib.Path("out.pcap").read_bytes(), header() + b"".join(self.records[::2][:70]))
        self.assertEqual(len(self.check("filter", "-r", "in.pcap", "--invert", "ip").splitlines()), 1500)

    def test_runs_of_any_length(self):
        """What is kept goes out in pieces; here they are from one packet to all of a block."""
        flags = [n % 64 < n // 64 for n in range(4096)]
        records = [record(100 + n % 50, 2 * n + kept) for n, kept in enumerate(flags)]
        data = header() + b"".join(records)
        process = run("filter", "-r", "-", "-w", "-", "ip", stdin=data)
        self.assertEqual(process.stdout, header() + b"".join(r for r, kept in zip(records, flags) if kept))

    def test_through_a_pipe_bit_by_bit(self):
        data = pathlib.Path("in.pcap").read_bytes()[:100000]
        with subprocess.Popen([WEIR, "filter", "-r", "-", "-w", "out.pcap"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            at = 0
            for step in [1, 7, 15, 16, 17, 24, 1000] * 100:
                process.stdin.write(data[at:at + step])
                process.stdin.flush()
                at += step
            process.stdin.close()
            self.assertIn(b"truncated", process.stderr.read())
        kept = pathlib.Path("out.pcap").read_bytes()
        self.assertTrue(data.startswith(kept))
        self.assertGreater(len(kept), 90000)

    def test_packets_larger_than_a_block(self):
        records = [record(size, n) for n, size in enumerate((300, 1000000, 262144, 40, 3000000))]
        data = header(link_type=231, snaplen=0) + b"".join(records)
        process = run("filter", "-r", "-", "-w", "-", stdin=data)
        self.assertEqual((process.returncode, process.stdout[24:]), (0, data[24:]))


class SeveralFiles(ProgramTest):
    def test_one_after_the_other(self):
        names = [PACKETS / name for name in ("ethernet.pcap", "vlan.pcap", "ethernet.pcap")]
        inputs = [option for name in names for option in ("-r", name)]
        self.check("filter", *inputs, "-w", "out.pcap")
        data = [name.read_bytes() for name in names]
        self.assertEqual(pathlib.Path("out.pcap").read_bytes(), data[0] + data[1][24:] + data[2][24:])
        self.assertEqual(self.check("filter", *inputs, "--count", "arp"), "10 packets\n")
        limited = self.check("filter", *inputs, "-c", len(records(data[0])) + 2)
        self.assertEqual(len(limited.splitlines()), len(records(data[0])) + 2)

    def test_names_from_a_file(self):
        pathlib.Path("names").write_text(f"{PACKETS / 'vlan.pcap'}\n\n{PACKETS / 'ethernet.pcap'}")
        self.check("filter", "-r", PACKETS / "ethernet.pcap", "-V", "names", "-w", "out.pcap")
        expected = [(PACKETS / f"{name}.pcap").read_bytes() for name in ("ethernet", "vlan", "ethernet")]
        self.assertEqual(pathlib.Path("out.pcap").read_bytes(), expected[0] + expected[1][24:] + expected[2][24:])
        self.assertEqual(self.check("filter", "-V", "-", "--count", "arp", stdin=f"{PACKETS / 'ethernet.pcap'}\n".encode()), "5 packets\n")
        self.check_error(1, "names no file", "filter", "-V", "/dev/null")
        self.check_error(1, "cannot read none: No such file", "filter", "-V", "none")
        self.check_error(2, "read once only", "filter", "-V", "-", "-F", "-")
        self.check_error(2, "read once only", "filter", "-r", "-", "-r", "-")
        self.check_error(1, "read once only", "filter", "-r", "-", "-V", "names2", preexec_fn=lambda: pathlib.Path("names2").write_text("-\n"))

    def test_stamps_and_byte_orders_are_brought_together(self):
        def capture(order, magic, fraction):
            return header(order, magic) + struct.pack(order + "4I", 1700000000, fraction, 4, 9) + b"abcd"
        cases = {"micro": capture("<", MICRO, 123456), "nano": capture("<", NANO, 123456789),
                 "big": capture(">", MICRO, 654321), "big_nano": capture(">", NANO, 987654321)}
        for name, data in cases.items():
            pathlib.Path(name).write_bytes(data)
        for first, second, order, magic, fractions in (
                ("micro", "nano", "<", NANO, (123456000, 123456789)), ("nano", "micro", "<", NANO, (123456789, 123456000)),
                ("micro", "big", "<", MICRO, (123456, 654321)), ("big", "micro", ">", MICRO, (654321, 123456)),
                ("big", "nano", ">", NANO, (654321000, 123456789)), ("big_nano", "big_nano", ">", NANO, (987654321, 987654321))):
            self.check("filter", "-r", first, "-r", second, "-w", "out.pcap")
            expected = header(order, magic) + b"".join(struct.pack(order + "4I", 1700000000, f, 4, 9) + b"abcd" for f in fractions)
            self.assertEqual(pathlib.Path("out.pcap").read_bytes(), expected, (first, second))

    def test_stamps_that_say_more_than_a_second(self):
        pathlib.Path("odd").write_bytes(header() + struct.pack("<4I", 10, 0xffffffff, 0, 0))
        pathlib.Path("nano").write_bytes(header(magic=NANO))
        self.check("filter", "-r", "odd", "-r", "nano", "-w", "out.pcap")
        self.assertEqual(struct.unpack("<4I", pathlib.Path("out.pcap").read_bytes()[24:]), (10 + 4294, 967295000, 0, 0))

    def test_the_largest_snapshot_length(self):
        for name, snaplen in (("a", 100), ("b", 2000), ("c", 96)):
            pathlib.Path(name).write_bytes(header(snaplen=snaplen) + record(90))
        self.check("filter", "-r", "a", "-r", "b", "-r", "c", "-w", "out")
        self.assertEqual(pathlib.Path("out").read_bytes(), header(snaplen=2000) + 3 * record(90))

    def test_pcapng_among_them(self):
        self.check("filter", "-r", PACKETS / "format_micro.pcapng", "-r", PACKETS / "ethernet.pcap", "-r", PACKETS / "format_nano.pcapng", "-w", "out.pcap")
        found = records(pathlib.Path("out.pcap").read_bytes())
        self.assertEqual(len(found), 3 + 95 + 3)
        self.assertEqual(pathlib.Path("out.pcap").read_bytes()[:4], struct.pack("<I", NANO))

    def test_a_pipe_among_them(self):
        data = (PACKETS / "vlan.pcap").read_bytes()
        self.check("filter", "-r", PACKETS / "ethernet.pcap", "-r", "-", "-w", "out.pcap", stdin=data)
        self.assertEqual(pathlib.Path("out.pcap").read_bytes(), (PACKETS / "ethernet.pcap").read_bytes() + data[24:])

    def test_what_does_not_go_together(self):
        self.check_error(2, "link_raw.pcap has RAW: packets of one file", "filter", "-r", PACKETS / "ethernet.pcap", "-r", PACKETS / "link_raw.pcap", "-w", "out")
        self.check_error(2, "different byte order", "filter", "-r", PACKETS / "link_null_little.pcap", "-r", PACKETS / "link_null_big.pcap", "-w", "out")
        self.check_error(1, "cannot read none", "filter", "-r", PACKETS / "ethernet.pcap", "-r", "none", "-w", "out")
        pathlib.Path("empty").touch()
        self.check_error(1, "empty is empty", "filter", "-r", PACKETS / "ethernet.pcap", "-r", "empty", "-w", "out")
        self.assertEqual(self.files(), ["empty"])

    def test_damage_in_one_stops_no_other(self):
        whole = (PACKETS / "ethernet.pcap").read_bytes()
        pathlib.Path("cut").write_bytes(whole[:-1])
        process = run("filter", "-r", "cut", "-r", PACKETS / "ethernet.pcap", "-r", "cut", "-w", "out.pcap", "arp")
        self.assertEqual(process.returncode, 1)
        self.assertEqual(process.stderr.count(b"cut: truncated"), 2)
        self.assertEqual(process.stderr.count(b"94 packets could be read before that, 5 of them matched, now in out.pcap"), 2)
        self.assertEqual(len(records(pathlib.Path("out.pcap").read_bytes())), 15)

    def test_many(self):
        """More than a process may have open at a time."""
        pathlib.Path("one").write_bytes(header() + record(60))
        pathlib.Path("names").write_text("one\n" * 3000)
        import resource
        process = run("filter", "-V", "names", "--count", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)))
        self.assertEqual((process.stdout, process.stderr), (b"3000 packets\n", b""))


class Pipes(ProgramTest):
    def test_from_and_to_pipes(self):
        data = (PACKETS / "tunnels.pcap").read_bytes()
        process = run("filter", "-r", "-", "-w", "-", stdin=data)
        self.assertEqual((process.returncode, process.stdout, process.stderr), (0, data, b""))

    def test_expression_from_standard_input(self):
        counted = self.check("filter", "-r", PACKETS / "ethernet.pcap", "--count", "-F", "-", stdin=b"arp")
        self.assertEqual(counted, "5 packets\n")
        self.check_error(2, "standard input", "filter", "-r", "-", "-F", "-")
        self.check_error(2, "--count", "filter", "-r", "-", "--count", "-w", "-")

    def test_output_does_not_wait_for_more_input(self):
        data = (PACKETS / "ethernet.pcap").read_bytes()
        pipe = subprocess.PIPE
        with subprocess.Popen([WEIR, "filter", "-r", "-", "ip"], stdin=pipe, stdout=pipe) as process:
            process.stdin.write(data[:len(data) // 2])
            process.stdin.flush()
            self.assertIn(b" IP 10.0.0.1.40000 > ", process.stdout.readline())
            process.stdin.write(data[len(data) // 2:])
            process.stdin.close()
            self.assertGreater(len(process.stdout.read()), 1000)
        self.assertEqual(process.returncode, 0)

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        packet = (PACKETS / "format_nano.pcap").read_bytes()
        pathlib.Path("long.pcap").write_bytes(packet + packet[24:] * 20000)
        for options in (["-w", "-"], []):
            writer = subprocess.Popen([WEIR, "filter", "-r", "long.pcap", *options], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
            writer.stdout.read(1000)
            writer.stdout.close()
            self.assertEqual(writer.stderr.read(), b"")
            writer.stderr.close()
            self.assertNotEqual(writer.wait(), 0)

    def test_named_pipe(self):
        os.mkfifo("pipe")
        reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE)
        self.check("filter", "-r", PACKETS / "vlan.pcap", "-w", "pipe")
        self.assertEqual(reader.communicate()[0], (PACKETS / "vlan.pcap").read_bytes())
        self.assertEqual(self.files(), ["pipe"])


class Damage(ProgramTest):
    def test_truncated_anywhere(self):
        """What is whole is kept, the rest is told of."""
        whole = (PACKETS / "format_nano.pcap").read_bytes()
        ends = [24]
        for record in records(whole):
            ends.append(ends[-1] + len(record))
        for size in range(24, len(whole)):
            kept = max(end for end in ends if end <= size)
            process = run("filter", "-r", "-", "-w", "out.pcap", stdin=whole[:size])
            self.assertEqual(pathlib.Path("out.pcap").read_bytes(), whole[:kept])
            if size == kept:
                self.assertEqual((process.returncode, process.stderr), (0, b""))
            else:
                self.assertEqual(process.returncode, 1)
                self.assertIn(b"truncated", process.stderr)
                self.assertRegex(process.stderr.decode(), rf"\b{ends.index(kept)} packets? could be read")
        self.assertEqual(self.files(), ["out.pcap"])

    def test_truncated_count(self):
        data = (PACKETS / "ethernet.pcap").read_bytes()[:-1]
        process = run("filter", "-r", "-", "--count", stdin=data)
        self.assertEqual((process.returncode, process.stdout), (1, b"94 packets\n"))

    def test_no_savefile(self):
        for data, message in ((b"", "is empty"), (b"x" * 100, "neither pcap nor pcapng"),
                              (b"\x1f\x8b\x08\0\0\0\0\0\0\0\0\0", "compressed with gzip"),
                              (b"\x28\xb5\x2f\xfd\0\0\0\0\0\0\0\0", "compressed with zstd"),
                              (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "neither"),
                              (b"\xd4\xc3\xb2\xa1\x02\0\x04\0" + bytes(5), "truncated"),
                              (b"\xd4\xc3\xb2\xa1\x63\0\x63\0" + bytes(16), "unsupported")):
            self.check_error(1, message, "filter", "-r", "-", "-w", "out", stdin=data)
        self.assertEqual(self.files(), [])

    def test_hostile_records(self):
        header = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
        good = struct.pack("<IIII", 1, 2, 4, 4) + b"abcd"
        for size in (0x10000000, 0x7fffffff, 0x80000000, 0xffffffff):
            data = header + good + struct.pack("<IIII", 1, 2, size, size) + bytes(100)
            process = run("filter", "-r", "-", "-w", "out", stdin=data)
            self.assertEqual(process.returncode, 1)
            self.assertIn(b"1 packet could be read", process.stderr)
            self.assertEqual(pathlib.Path("out").read_bytes(), header + good)
        stamps = header + struct.pack("<IIII", 0xffffffff, 0xffffffff, 4, 0) + b"abcd"
        self.assertEqual(run("filter", "-r", "-", "-w", "-", stdin=stamps).stdout, stamps)
        self.check("filter", "-r", "-", stdin=stamps)

    def test_snapshot_lengths(self):
        """None and absurd ones stand for the most there is; packets that are longer are cut, as libpcap does."""
        for snaplen, said in ((0, 262144), (0x80000000, 262144), (0xffffffff, 262144), (0x7fffffff, 0x7fffffff), (262144, 262144)):
            process = run("filter", "-r", "-", "-w", "-", stdin=header(snaplen=snaplen) + record(1000))
            self.assertEqual((process.returncode, process.stdout), (0, header(snaplen=said) + record(1000)))
        data = header(snaplen=100) + record(60) + record(1000) + record(100, 1) + record(101) + record(50)
        cut = header(snaplen=100) + record(60) + record(100, length=1000) + record(100, 1) + record(100, length=101) + record(50)
        self.assertEqual(run("filter", "-r", "-", "-w", "-", stdin=data).stdout, cut)
        theirs = subprocess.run(["tcpdump", "-r", "-", "-w", "-"], input=data, capture_output=True).stdout
        self.assertEqual(cut, theirs)
        self.assertEqual(run("filter", "-r", "-", "--count", "len = 1000", stdin=data).stdout, b"1 packet\n")
        for order in "<>":
            data = header(order, snaplen=0) + record(90, order=order)
            self.assertEqual(run("filter", "-r", "-", "-w", "-", stdin=data).stdout[24:], data[24:])

    def test_a_packet_that_is_longer_than_it_was(self):
        data = header() + record(60, length=10) + record(60, length=0) + record(60, length=0xffffffff)
        process = run("filter", "-r", "-", "-w", "-", stdin=data)
        self.assertEqual((process.returncode, process.stdout), (0, data))

    def test_where_the_damage_is(self):
        data = header() + record(60) + record(262145)
        self.assertIn("the packet at byte 100 claims to have 262145 captured bytes", run("filter", "-r", "-", "--count", stdin=data).stderr.decode())
        self.assertIn("of the 76 bytes of the packet at byte 24, 75 are there", run("filter", "-r", "-", "--count", stdin=data[:99]).stderr.decode())
        self.assertIn("of the 16 header bytes of the packet at byte 100, 3 are there", run("filter", "-r", "-", "--count", stdin=data[:103]).stderr.decode())

    def test_a_file_that_shrinks_while_it_is_read(self):
        """Whoever does not look at the output holds the work up; by then the file has lost what was not read yet."""
        whole = header() + b"".join(record(1000, n) for n in range(20000))
        for size in (0, 24, 5000000, 5000001):
            pathlib.Path("in.pcap").write_bytes(whole)
            with subprocess.Popen([WEIR, "filter", "-r", "in.pcap", "-w", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                got = process.stdout.read(100)
                os.truncate("in.pcap", size)
                got += process.stdout.read()
                errors = process.stderr.read()
            self.assertTrue(whole.startswith(got))
            self.assertEqual((len(got) - 24) % 1016, 0)
            self.assertIn(process.returncode, (0, 1))
            self.assertEqual(process.returncode == 1, b"truncated" in errors)

    def test_a_file_that_is_still_being_written(self):
        with open("in.pcap", "wb", buffering=0) as writing:
            writing.write(header() + record(60) + record(60)[:50])
            self.assertIn("or it is still being written", self.check_error(1, "truncated", "filter", "-r", "in.pcap", "-w", "out.pcap"))
            self.assertEqual(pathlib.Path("out.pcap").read_bytes(), header() + record(60))
            writing.write(record(60)[50:])
            self.check("filter", "-r", "in.pcap", "-w", "out.pcap")
        self.assertEqual(pathlib.Path("out.pcap").read_bytes(), header() + 2 * record(60))

    def test_a_full_disk(self):
        """The old file stays, and no other."""
        os.mkdir("disk")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", "disk"], capture_output=True).returncode != 0:
            self.skipTest("no right to mount a disk")
        self.addCleanup(subprocess.run, ["umount", "disk"], check=True)
        pathlib.Path("in.pcap").write_bytes(header() + b"".join(record(1000, n) for n in range(1000)))
        for options in ((), ("ip",), ("len = 1000",)):
            pathlib.Path("disk/out").write_bytes(b"old")
            self.check_error(1, "cannot write disk/out: No space left", "filter", "-r", "in.pcap", "-w", "disk/out", *options)
            self.assertEqual(os.listdir("disk"), ["out"])
            self.assertEqual(pathlib.Path("disk/out").read_bytes(), b"old")

    def test_interfaces_of_different_link_types(self):
        def block(kind, body):
            return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
        packet = lambda interface: block(6, struct.pack("<5I", interface, 0, 1, 4, 4) + b"abcd")
        data = (block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0))
                + packet(0) + block(1, struct.pack("<HHI", 113, 0, 0)) + packet(1))
        process = run("filter", "-r", "-", "-w", "out", stdin=data)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"type", process.stderr)
        self.assertEqual(len(records(pathlib.Path("out").read_bytes())), 1)

    def test_link_types(self):
        self.check_error(2, "has link type RAW, not EN10MB", "filter", "-r", PACKETS / "link_raw.pcap", "-y", "EN10MB")
        self.check("filter", "-r", PACKETS / "link_raw.pcap", "-y", "raw", "-w", "out")
        usb = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 189)
        self.check_error(2, "USB_LINUX", "filter", "-r", "-", "tcp", stdin=usb)
        private = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 149) + struct.pack("<IIII", 1, 2, 4, 4) + b"abcd"
        self.check("filter", "-r", "-", "-w", "out", "link[0] = 0x61", stdin=private)
        self.assertEqual(pathlib.Path("out").read_bytes(), private)
        unknown = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 9999)
        self.check_error(2, "9999", "filter", "-r", "-", "tcp", stdin=unknown)

    def test_files_that_cannot_be_read(self):
        self.check_error(1, "cannot read none: No such file", "filter", "-r", "none")
        self.check_error(1, "Is a directory", "filter", "-r", ".")

    def test_a_wrong_expression_leaves_no_file(self):
        self.check_error(2, "^", "filter", "-r", PACKETS / "ethernet.pcap", "-w", "out", "tcp port")
        self.assertEqual(self.files(), [])

    def test_what_cannot_be_written(self):
        source = PACKETS / "ethernet.pcap"
        self.check_error(1, "cannot write /dev/full: No space left", "filter", "-r", source, "-w", "/dev/full")
        self.check_error(1, "cannot create none/out: No such file", "filter", "-r", source, "-w", "none/out")
        with open("/dev/full", "wb") as full:
            for options in (["-w", "-"], ["--count"], []):
                process = subprocess.run([WEIR, "filter", "-r", source, *options], stdout=full, stderr=subprocess.PIPE)
                self.assertEqual(process.returncode, 1)
                self.assertIn(b"cannot write standard output: No space left", process.stderr)

    def test_a_folder_that_cannot_be_written(self):
        if os.geteuid() == 0:
            self.skipTest("nothing is forbidden to root")
        os.mkdir("folder")
        pathlib.Path("folder/out").write_bytes(b"old")
        os.chmod("folder", 0o555)
        options = ("filter", "-r", PACKETS / "ethernet.pcap", "-w")
        self.assertIn("-w - >folder/out", self.check_error(1, "a new file beside folder/out: Permission", *options, "folder/out"))
        self.check_error(1, "cannot create folder/new: Permission denied", *options, "folder/new")
        os.chmod("folder", 0o755)

    def test_a_limit_on_file_size(self):
        """As a disk that fills up: an error, the old file, no other."""
        import resource
        pathlib.Path("out").write_bytes(b"old")
        packet = (PACKETS / "format_nano.pcap").read_bytes()
        pathlib.Path("long.pcap").write_bytes(packet + packet[24:] * 20000)
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
        process = run("filter", "-r", "long.pcap", "-w", "out", preexec_fn=limit)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"cannot write out: File too large", process.stderr)
        self.assertEqual(pathlib.Path("out").read_bytes(), b"old")
        self.assertEqual(self.files(), ["long.pcap", "out"])


class Signals(ProgramTest):
    def start(self, *options):
        """On an input that never ends: all of a capture has been read when this returns."""
        process = subprocess.Popen([WEIR, "filter", "-r", "-", *options], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write((PACKETS / "ethernet.pcap").read_bytes())
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while not self.is_waiting(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        return process

    @staticmethod
    def is_waiting(pid):
        """Whether it sleeps with its output begun: then it has read all there is, and waits for more."""
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state == "S" and any(name.startswith(".weir") for name in os.listdir("."))

    def test_interrupted_work_is_kept(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start("-w", "out.pcap", "arp")
            process.send_signal(number)
            process.stdin.close()
            errors = process.stderr.read().decode()
            process.stdout.close()
            process.stderr.close()
            self.assertEqual(process.wait(), 1)
            self.assertIn("interrupted", errors)
            self.assertIn("95 packets could be read", errors)
            self.assertIn("5 of them matched", errors)
            self.assertEqual(len(records(pathlib.Path("out.pcap").read_bytes())), 5)
            self.assertEqual(self.files(), ["out.pcap"])
            os.remove("out.pcap")


    def test_a_second_signal_ends_it_at_once(self):
        """While the first one waits for whoever reads the packets."""
        data = (PACKETS / "format_nano.pcap").read_bytes()
        pathlib.Path("long.pcap").write_bytes(data + data[24:] * 20000)
        process = subprocess.Popen([WEIR, "filter", "-r", "long.pcap", "-w", "-"], stdout=subprocess.PIPE)
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=0.3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=10), -signal.SIGINT)
        process.stdout.close()

    def test_a_second_signal_leaves_nothing(self):
        """Wherever it comes: before the end, the file is gone; behind it, it is complete."""
        data = (PACKETS / "ethernet.pcap").read_bytes()
        pathlib.Path("long.pcap").write_bytes(data[:24] + data[24:] * 20000)
        killed = 0
        for tries, pause in enumerate((0, 0.001, 0.002, 0.004, 0.008, 0.012) * 12):  # on a busy machine two signals are often one
            if tries >= 10 and killed > 0:
                break
            process = subprocess.Popen([WEIR, "filter", "-r", "long.pcap", "-w", "out.pcap"], stderr=subprocess.DEVNULL)
            while not [name for name in self.files() if name.startswith(".weir-")] and process.poll() is None:
                time.sleep(0.001)
            time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            time.sleep(pause)
            process.send_signal(signal.SIGINT)
            status = process.wait(timeout=30)
            self.assertEqual([name for name in self.files() if name.startswith(".weir-")], [])
            killed += status == -signal.SIGINT
            if pathlib.Path("out.pcap").exists():
                self.check("filter", "-r", "out.pcap", "--count")
                os.remove("out.pcap")
        self.assertGreater(killed, 0)


if __name__ == "__main__":
    unittest.main()
