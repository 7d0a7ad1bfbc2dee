#!/usr/bin/env python3
"""weir capture: how it begins and ends, what it says when it cannot, and what it sees on interfaces of several kinds."""
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

from network import NetworkTest, PATIENCE, SOURCE, WEIR, main, read_pcap

sys.path.insert(0, str(SOURCE / "corpus" / "packets"))
import frames as make  # noqa: E402

PING = make.ether(0x0800, make.icmp())
ARP = make.ether(0x0806, make.arp())


def long_filter(ports):
    """Ports that form no ranges, and primitives that need metadata."""
    return " or ".join(f"port {5 * n + 4}" for n in range(ports)) + " or (inbound and vlan 5 and tcp)"


def packets(path):
    return [data for _, _, data, _ in read_pcap(path)[1]]


def tagged(frame, number):
    return frame[:12] + struct.pack(">HH", 0x8100, number) + frame[12:]


class Tun:
    """The other end of a tun interface: what is written there arrives at it."""

    def __init__(self, network, name):
        tunsetiff, tun_without_header = 0x400454ca, 0x1001
        with network.entered():
            self.device = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(self.device, tunsetiff, struct.pack("16sH22x", name.encode(), tun_without_header))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.device)

    def arrives(self, packet):
        os.write(self.device, packet)


class Ends(NetworkTest):
    def test_signals(self):
        sender = self.sender("near")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            capture = self.weir("-i", "far", "-w", "out.pcap", "icmp")
            for frame in (PING, ARP, PING):
                sender.send(frame)
            self.assertEqual(os.listdir(), [name for name in os.listdir() if name.startswith(".weir-")])
            status, messages = capture.end(number)
            self.assertEqual((status, messages.partition("\n")[2]),
                             (0, "2 packets captured\n2 packets received by filter\n0 packets dropped by kernel\n"))
            self.assertEqual(packets("out.pcap"), [PING, PING])
            os.remove("out.pcap")

    def test_limit(self):
        capture = self.weir("-i", "far", "-c", "2", "-w", "out.pcap")
        sender = self.sender("near")
        for frame in (PING, ARP, PING, PING):
            sender.send(frame)
        status, messages = capture.wait()
        self.assertEqual(status, 0)
        self.assertIn("\n2 packets captured\n", messages)
        self.assertEqual(packets("out.pcap"), [PING, ARP])

    def test_lines_come_in_time(self):
        capture = self.weir("-i", "far", stdout=subprocess.PIPE)
        sender = self.sender("near")
        for _ in range(5):
            before = time.monotonic()
            sender.send(PING)
            self.assertRegex(capture.process.stdout.readline(), r"^\d\d:\d\d:\d\d\.\d{6} IP 10.0.0.1 > 10.0.0.2: ICMP, length 50\n")
            self.assertLess(time.monotonic() - before, 1)
        self.assertEqual(capture.end()[0], 0)

    def test_a_savefile_through_a_pipe(self):
        with open("out.pcap", "wb") as out:
            capture = self.weir("-i", "far", "-w", "-", "-c", "1", stdout=out)
        self.sender("near").send(PING)
        self.assertEqual(capture.wait()[0], 0)
        self.assertEqual(packets("out.pcap"), [PING])

    def test_a_reader_that_goes_away_ends_it(self):
        capture = self.weir("-i", "far", "-w", "-", stdout=subprocess.PIPE)
        capture.process.stdout.close()
        self.sender("near").send(PING)
        self.assertEqual(capture.process.wait(timeout=PATIENCE), -signal.SIGPIPE)

    def test_a_second_signal_ends_it_at_once(self):
        """When the first cannot: whoever reads the packets does not."""
        capture = self.weir("-i", "far", "-w", "-", stdout=subprocess.PIPE)
        sender = self.sender("near")
        for _ in range(200):
            sender.send(PING + bytes(8000))
        pipe = capture.process.stdout.fileno()
        deadline = time.monotonic() + 10
        while self.waiting_bytes(pipe) < 65536 and time.monotonic() < deadline:
            time.sleep(0.01)
        capture.process.send_signal(signal.SIGINT)
        with self.assertRaises(subprocess.TimeoutExpired):
            capture.process.wait(timeout=0.3)
        capture.process.send_signal(signal.SIGINT)
        self.assertEqual(capture.process.wait(timeout=PATIENCE), -signal.SIGINT)

    def test_two_kinds_of_signals_close_together(self):
        """As service managers send them. The packets that the kernel still keeps back are not lost."""
        sender = self.sender("near")
        for pause in (0, 0.005, 0.02):
            capture = self.weir("-i", "far", "-w", "out.pcap")
            sender.send(PING)
            capture.process.send_signal(signal.SIGTERM)
            time.sleep(pause)
            capture.process.send_signal(signal.SIGHUP)
            status, messages = capture.wait()
            self.assertEqual((status, packets("out.pcap")), (0, [PING]), messages)

    def test_messages_that_nobody_can_have(self):
        """Neither a full disk nor a reader that is gone costs packets."""
        sender = self.sender("near")
        for line in ('"$@" 2>/dev/full', '"$@" 2>&1 | head -n 1', '"$@" 2>&1 | true'):
            process = subprocess.Popen(self.network.command("sh", "-c", line, "sh", WEIR, "capture", "-i", "far", "-c", "3",
                                                            "-w", "out.pcap"), stdout=subprocess.DEVNULL)
            while process.poll() is None:
                sender.send(PING)
                time.sleep(0.02)
            self.assertEqual((packets("out.pcap"), os.listdir()), ([PING] * 3, ["out.pcap"]), line)
            os.remove("out.pcap")

    def test_nothing_is_sent(self):
        """A closed standard descriptor does not become that of the packet socket."""
        sniffer = self.network.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self.addCleanup(sniffer.close)
        sniffer.bind(("near", 0x0003))
        sender = self.sender("near")
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            for output in ("-w -", "", "-w out.pcap"):
                line = f'"$@" {output} {closed}'
                process = subprocess.Popen(self.network.command("sh", "-c", line, "sh", WEIR, "capture", "-i", "far", "-c", "1"),
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                while process.poll() is None:
                    sender.send(PING)
                    time.sleep(0.02)
                expected = 1 if ">&-" in closed.replace("2>&-", "") and output != "-w out.pcap" else 0
                self.assertEqual(process.returncode, expected, line)
        received = set()
        sniffer.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                frame, (_, _, kind, *_) = sniffer.recvfrom(65536)
                received.add((frame, kind))
        self.assertEqual(received, {(PING, socket.PACKET_OUTGOING)})

    @staticmethod
    def waiting_bytes(pipe):
        fionread = 0x541b
        return struct.unpack("i", fcntl.ioctl(pipe, fionread, b"\0\0\0\0"))[0]


class Flood(NetworkTest):
    """More packets than the filter, which runs in this process, can look at: there always is another one."""

    LARGE = make.ether(0x0800, make.udp(sport=3, dport=3, data=bytes(8000)))  # so the ring does not hold many
    SMALL = make.ether(0x0800, make.udp(sport=3, dport=3))

    def overwhelmed(self):
        # UDP, so that each of the ports is looked at; without the optimizer one after the other.
        pathlib.Path("filter").write_text(" or ".join(f"udp port {5 * n + 4}" for n in range(3000)))
        capture = self.weir("-i", "far", "-O", "-F", "filter", "-w", "out.pcap")
        self.assertIn("the filter runs in this process", capture.text())
        return capture

    def test_a_signal_ends_it(self):
        capture = self.overwhelmed()
        with self.flood("near", self.LARGE):
            time.sleep(1)
            capture.process.send_signal(signal.SIGINT)
            self.assertEqual(capture.process.wait(timeout=PATIENCE), 0)
        self.assertIn("\n0 packets captured\n", capture.wait()[1])

    def test_an_interface_that_goes_down_is_noticed(self):
        capture = self.overwhelmed()
        with self.flood("near", self.LARGE):
            time.sleep(0.5)
            self.network.ip("link", "set", "far", "down")
            capture.wait_for("far went down")
            self.network.ip("link", "delete", "far")
            self.assertEqual(capture.process.wait(timeout=PATIENCE), 1)
        self.assertIn("the interface far disappeared", capture.wait()[1])

    def test_a_second_signal_keeps_what_is_written(self):
        capture = self.overwhelmed()
        with self.flood("near", self.SMALL):
            time.sleep(1)
            capture.process.send_signal(signal.SIGINT)
            time.sleep(0.05)
            capture.process.send_signal(signal.SIGINT)
            self.assertEqual(capture.process.wait(timeout=PATIENCE), -signal.SIGINT)
        kept = next(name for name in os.listdir() if name.startswith(".weir-"))
        self.assertIn(f"weir: ended at once; what was written until then is in ./{kept}\n", capture.wait()[1])

    def test_without_memory_for_a_filter_that_rejects_all(self):
        """Which is how it stops otherwise."""
        capture = self.weir("-i", "far", "-w", "out.pcap", "udp")
        self.network.set("net/core/optmem_max", 1)
        if self.network.run("cat", "/proc/sys/net/core/optmem_max").stdout != "1\n":
            print("SKIPPED: this kernel has one net.core.optmem_max for all namespaces")
            return
        frame = make.ether(0x0800, make.udp())
        with self.flood("near", frame):
            time.sleep(0.3)
            capture.process.send_signal(signal.SIGINT)
            self.assertEqual(capture.process.wait(timeout=PATIENCE), 0)
        captured = int(re.search(r"(\d+) packets captured", capture.wait()[1])[1])
        self.assertGreater(captured, 100)
        self.assertEqual(packets("out.pcap"), [frame] * captured)


class Trouble(NetworkTest):
    def refused(self, status, *words, **more):
        """What a capture that cannot begin says."""
        process = self.network.run(WEIR, "capture", *words, **more)
        self.assertEqual((process.returncode, process.stdout), (status, ""), process.stderr)
        self.assertTrue(process.stderr.startswith("weir: error: "), process.stderr)
        return process.stderr

    def test_interfaces(self):
        self.assertRegex(self.refused(2, "tcp"), "missing: -i IFACE\n.*lo, far, near|missing: -i IFACE\n.*lo, near, far")
        self.assertRegex(self.refused(1, "-i", "eth7"), "no interface 'eth7'\n.*there are .*near")
        self.assertIn("any has link type LINUX_SLL2, not RAW", self.refused(2, "-i", "any", "-y", "RAW"))
        self.assertIn("far has link type EN10MB, not RAW", self.refused(2, "-i", "far", "-y", "RAW"))
        self.network.ip("link", "set", "far", "down")
        self.assertIn("far is down\n  hint: ip link set far up", self.refused(1, "-i", "far"))

    def test_expressions(self):
        self.assertIn("^~~", self.refused(2, "-i", "far", "host 10.0.0.1 port 80"))

    def test_without_rights(self):
        os.chmod(".", 0o755)
        shutil.copy(WEIR, "weir")
        process = self.network.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "./weir", "capture",
                                   "-i", "far", "-w", "out")
        self.assertEqual((process.returncode, process.stdout), (1, ""))
        self.assertIn("CAP_NET_RAW", process.stderr)
        self.assertIn("setcap cap_net_raw+ep", process.stderr)
        self.assertEqual(os.listdir(), ["weir"])
        listed = self.network.run("setpriv", "--reuid=65534", "--clear-groups", "./weir", "list", "interfaces")
        self.assertEqual((listed.returncode, listed.stderr), (0, ""))

    def test_what_cannot_be_written(self):
        self.assertIn("cannot create none/out", self.refused(1, "-i", "far", "-w", "none/out"))
        capture = self.weir("-i", "far", "-w", "/dev/full")
        self.sender("near").send(PING)
        status, messages = capture.wait()
        self.assertEqual(status, 1)
        self.assertIn("cannot write /dev/full: No space left", messages)
        self.assertIn("\n1 packet received by filter\n", messages)
        self.assertNotIn("hint", messages)

    def test_a_disk_that_fills_up(self):
        """As far as it could be written, the capture is kept."""
        capture = self.capture("sh", "-c", "trap '' XFSZ; ulimit -f 700; exec \"$@\"", "sh",
                               WEIR, "capture", "-i", "far", "-w", "out.pcap")
        sender, frame = self.sender("near"), PING + bytes(4000)
        for _ in range(600):
            sender.send(frame)
        status, messages = capture.wait()
        self.assertEqual(status, 1)
        self.assertIn("cannot write out.pcap: File too large\n  hint: what was written before that is in out.pcap", messages)
        self.assertEqual(set(packets("out.pcap")), {frame})
        self.assertEqual(os.listdir(), ["out.pcap"])

    def test_an_interface_that_disappears(self):
        capture = self.weir("-i", "far", "-w", "out.pcap")
        sender = self.sender("near")
        for _ in range(3):
            sender.send(PING)
        self.network.ip("link", "delete", "far")
        status, messages = capture.wait()
        self.assertEqual(status, 1)
        self.assertIn("weir: error: the interface far disappeared", messages)
        self.assertIn("\n3 packets captured\n", messages)
        self.assertEqual(packets("out.pcap"), [PING] * 3)

    def test_an_interface_that_goes_down_and_comes_up(self):
        capture = self.weir("-i", "far", "-w", "out.pcap")
        sender = self.sender("near")
        sender.send(PING)
        self.network.ip("link", "set", "far", "down")
        capture.wait_for("far went down")
        self.network.ip("link", "set", "far", "up")
        capture.wait_for("far is up again")
        sender.send(ARP)
        status, messages = capture.end()
        self.assertEqual((status, packets("out.pcap")), (0, [PING, ARP]), messages)

    def test_signals_end_it_while_the_interface_is_down(self):
        capture = self.weir("-i", "far", "-w", "out.pcap")
        self.network.ip("link", "set", "far", "down")
        capture.wait_for("far went down")
        self.assertEqual(capture.end()[0], 0)
        self.assertEqual(packets("out.pcap"), [])


class InThisProcess(NetworkTest):
    """Filters that the kernel does not take run here, on the same bytes and metadata."""

    def check(self, reason, expression):
        pathlib.Path("filter").write_text(expression)
        with self.capturing("-w", "out.pcap", "-F", "filter") as capture:
            self.assertIn("weir: warning: the filter runs in this process", capture.text())
            self.assertIn(reason, capture.text())
            other, listed = make.ether(0x0800, make.tcp(sport=3, dport=3)), make.ether(0x0800, make.udp(sport=4, dport=3))
            inwards, outwards = self.sender("near"), self.sender("far")
            for out, frame in ((inwards, tagged(other, 5)), (inwards, tagged(other, 6)), (outwards, tagged(other, 5)),
                               (inwards, other), (inwards, listed), (outwards, listed)):
                out.send(frame)
        self.assertIn("\n3 packets captured\n6 packets received before the filter\n", capture.text())
        self.assertEqual(packets("out.pcap"), [tagged(other, 5), listed, listed])

    def test_too_long(self):
        self.check("more than the 4096 that fit", long_filter(5000))

    def test_no_memory_in_the_kernel(self):
        self.network.set("net/core/optmem_max", 2000)
        if self.network.run("cat", "/proc/sys/net/core/optmem_max").stdout != "2000\n":
            print("SKIPPED: this kernel has one net.core.optmem_max for all namespaces")
            return
        self.check("net.core.optmem_max", long_filter(100))


class Interfaces(NetworkTest):
    def test_loopback_once(self):
        capture = self.weir("-i", "lo", "-w", "out.pcap", "udp port 9")
        talker = self.network.socket(2, 2)
        for _ in range(3):
            talker.sendto(b"hello", ("127.0.0.1", 9))
        talker.close()
        status, messages = capture.end()
        self.assertEqual(len(packets("out.pcap")), 3)
        self.assertIn("\n3 packets captured\n3 packets received by filter\n", messages)

    def test_netmask_of_the_interface(self):
        refused = self.network.run(WEIR, "capture", "-i", "far", "ip broadcast")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("netmask", refused.stderr)
        self.network.ip("address", "add", "10.1.0.2/16", "dev", "far")
        capture = self.weir("-i", "far", "-w", "out.pcap", "ip broadcast")
        given = self.weir("-i", "far", "-m", "255.255.255.0", "-w", "given.pcap", "ip broadcast")
        sender = self.sender("near")
        for last in ("10.1.255.255", "10.1.0.255", "10.1.255.0", "10.1.2.3", "255.255.255.255"):
            sender.send(make.ether(0x0800, make.udp(dst=last)))
        self.assertEqual((capture.end()[0], given.end()[0]), (0, 0))
        destinations = lambda path: [".".join(map(str, data[30:34])) for data in packets(path)]
        self.assertEqual(destinations("out.pcap"), ["10.1.255.255", "255.255.255.255"])
        self.assertEqual(destinations("given.pcap"), ["10.1.255.255", "10.1.0.255", "10.1.255.0", "255.255.255.255"])

    def test_an_address_with_a_label(self):
        self.network.ip("address", "add", "10.7.0.5/24", "dev", "far", "label", "far:x")
        self.assertIn("10.7.0.5/24", self.network.run(WEIR, "list", "interfaces").stdout)
        capture = self.weir("-i", "far", "-c", "1", "-w", "out.pcap", "ip broadcast")
        for last in ("10.7.0.5", "10.7.0.255"):
            self.sender("near").send(make.ether(0x0800, make.udp(dst=last)))
        self.assertEqual(capture.wait()[0], 0)
        self.assertEqual(packets("out.pcap"), [make.ether(0x0800, make.udp(dst="10.7.0.255"))])

    def test_an_alternative_name(self):
        self.network.ip("link", "property", "add", "dev", "far", "altname", "uplink0")
        capture = self.weir("-i", "uplink0", "-c", "1", "-w", "out.pcap")
        self.assertIn("listening on far,", capture.text())
        self.sender("near").send(PING)
        self.assertEqual((capture.wait()[0], packets("out.pcap")), (0, [PING]))

    def test_a_name_that_commands_the_terminal(self):
        self.network.ip("link", "set", "far", "down")
        self.network.ip("link", "set", "far", "name", "\x1b[31mfar")
        for words in (("list", "interfaces"), ("capture", "-i", "eth7"), ("capture", "-i", "\x1b[31mfar")):
            process = self.network.run(WEIR, *words)
            self.assertNotIn("\x1b", process.stdout + process.stderr)
            self.assertIn("?[31mfar", process.stdout + process.stderr)

    def test_promiscuous_unless_told_not_to(self):
        for options, expected in (([], "1"), (["-p"], "0")):
            capture = self.weir("-i", "far", *options)
            shown = self.network.run("ip", "-d", "link", "show", "far").stdout
            self.assertIn(f"promiscuity {expected}", shown)
            capture.end()

    def test_all_interfaces(self):
        """Loopback once; a filter that has no place in the kernel; interfaces that come, and go down."""
        capture = self.weir("-i", "any", "-w", "out.pcap", "udp port 9 or arp")
        asks_header = self.weir("-i", "any", "-w", "asked.pcap", "link[8:2] = 772 and udp port 9")
        self.assertIn("warning: the filter runs in this process", asks_header.text())
        self.assertIn("does not show this part of a cooked header", asks_header.text())
        self.assertIn("listening on any, link type LINUX_SLL2", capture.text())
        talker = self.network.socket(2, 2)
        talker.sendto(b"hello", ("127.0.0.1", 9))
        talker.close()
        self.network.ip("link", "add", "late", "type", "veth", "peer", "name", "later")
        for interface in ("late", "later"):
            self.network.ip("link", "set", interface, "up")
        self.sender("late").send(ARP)
        self.network.ip("link", "set", "far", "down")
        self.network.ip("link", "delete", "far")
        self.assertEqual([one.end()[0] for one in (capture, asks_header)], [0, 0])
        self.assertEqual([data[:2].hex() for data in packets("out.pcap")], ["0800", "0806", "0806"])
        self.assertEqual(packets("asked.pcap"), packets("out.pcap")[:1])

    def test_a_filter_on_all_interfaces_that_is_too_long(self):
        pathlib.Path("filter").write_text(long_filter(5000).replace(" and vlan 5", ""))
        long = self.weir("-i", "any", "-F", "filter", "-w", "long.pcap")
        self.assertIn("more than the 4096 that fit", long.text())
        short = self.weir("-i", "any", "-w", "short.pcap", "port 4 or (inbound and tcp)")
        for interface in ("near", "far"):
            for frame in (make.udp(sport=4, dport=3), make.udp(sport=3, dport=3), make.tcp(sport=3, dport=3)):
                self.sender(interface).send(make.ether(0x0800, frame))
        self.assertEqual((long.end()[0], short.end()[0]), (0, 0))
        self.assertEqual(len(packets("long.pcap")), 6)
        self.assertEqual(packets("long.pcap"), packets("short.pcap"))

    def test_tun(self):
        """Raw IP, without a header of a link layer."""
        self.network.run("ip", "tuntap", "add", "tun7", "mode", "tun", check=True)
        self.network.ip("link", "set", "tun7", "up")
        with Tun(self.network, "tun7") as tun:
            captures = [self.weir("-i", "tun7", "-w", "ours.pcap", "-c", "2", "ip and udp port 9"),
                        self.capture("tcpdump", "-i", "tun7", "-Z", "root", "-w", "theirs.pcap", "-c", "2", "ip and udp port 9")]
            for packet in (make.udp(dport=9), make.udp(dport=9, src=make.A6, dst=make.B6), make.udp(dport=9, data=b"")):
                tun.arrives(packet)
            self.assertEqual([capture.wait()[0] for capture in captures], [0, 0])
        self.assertIn("link type RAW", captures[0].text())
        self.assertEqual(packets("ours.pcap"), [make.udp(dport=9), make.udp(dport=9, data=b"")])
        self.assertEqual(packets("ours.pcap"), packets("theirs.pcap"))
        self.assertEqual(read_pcap("ours.pcap")[0], read_pcap("theirs.pcap")[0])

    def test_an_interface_of_another_kind(self):
        """PPP, whose packets the kernel gives without their header."""
        tunsetlink, ppp = 0x400454cd, 512
        self.network.run("ip", "tuntap", "add", "tun8", "mode", "tun", check=True)
        with Tun(self.network, "tun8") as tun:
            fcntl.ioctl(tun.device, tunsetlink, ppp)
            self.network.ip("link", "set", "tun8", "up")
            captures = [self.weir("-i", "tun8", "-w", "ours.pcap", "-c", "2", "ip and udp port 9"),
                        self.capture("tcpdump", "-i", "tun8", "-Z", "root", "-w", "theirs.pcap", "-c", "2", "ip and udp port 9")]
            for packet in (make.udp(dport=9), make.udp(dport=9, src=make.A6, dst=make.B6), make.udp(dport=9, data=b"")):
                tun.arrives(packet)
            self.assertEqual([capture.wait()[0] for capture in captures], [0, 0])
        self.assertIn("link type LINUX_SLL (", captures[0].text())
        self.assertEqual(len(packets("ours.pcap")), 2)
        self.assertEqual(packets("ours.pcap"), packets("theirs.pcap"))
        self.assertEqual(read_pcap("ours.pcap")[0], read_pcap("theirs.pcap")[0])

    def test_list(self):
        self.network.ip("address", "add", "10.1.0.2/16", "dev", "far")
        self.network.ip("link", "set", "near", "down")
        listed = self.network.run(WEIR, "list", "interfaces")
        lines = [line.split() for line in listed.stdout.splitlines()]
        self.assertEqual(lines[0], ["name", "link", "type", "state", "addresses"])
        self.assertIn(["far", "EN10MB", "up", "10.1.0.2/16"], lines)
        self.assertIn(["near", "EN10MB", "down"], lines)
        self.assertEqual(lines[-1], ["any", "LINUX_SLL2", "up", "(all", "of", "these)"])


if __name__ == "__main__":
    main()
