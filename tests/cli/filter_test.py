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
        for pause in (0, 0.001, 0.002, 0.004, 0.008) * 2:
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
