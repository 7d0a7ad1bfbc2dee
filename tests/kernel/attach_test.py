#!/usr/bin/env python3
"""weir attach: programs that drop and pass packets at the interfaces of a network of the tests, until Ctrl-C."""
import os
import pathlib
import signal
import struct
import subprocess
import threading
import unittest

from network import NetworkTest, PATIENCE, WEIR, main

ETH_P_ALL = 3
DROP_WHAT_MATCHES = ("--match=drop", "--no-match=pass")


def udp(last):
    """From 192.0.2.`last`."""
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 46, 0, 0, 64, 17, 0, bytes((192, 0, 2, last)), bytes((10, 0, 0, 1)))
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + header + bytes(26)


class Attached:
    """The command, when it has said that it is attached."""

    def __init__(self, network, *words):
        self.process = subprocess.Popen(network.command(WEIR, "attach", *words), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = self.process.stderr.readline()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.start()
        rest = self.process.stderr.read()
        watchdog.cancel()
        return self.process.wait(), self.said + rest

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stderr.close()


class Attach(NetworkTest):
    def attach(self, *words):
        attached = Attached(self.network, *words)
        self.addCleanup(attached.close)
        return attached

    def arrives(self, frame, wait=2):
        with self.network.sender("far") as receiver:
            receiver.bind(("far", ETH_P_ALL))
            receiver.settimeout(wait)
            try:
                self.sender("near").send(frame)
                return receiver.recv(2000) == frame
            except OSError:
                return False

    def vanishes(self, frame):
        return not self.arrives(frame, wait=0.1)

    def until(self, condition):
        """The command reads its input when it comes to it."""
        for _ in range(100):
            if condition():
                return True
        return False

    def test_until_ctrl_c(self):
        attached = self.attach("-i", "far", *DROP_WHAT_MATCHES, "src host 192.0.2.1")
        self.assertRegex(attached.said, r"^weir: XDP program \d+, native mode, on far; Ctrl-C ends\n")
        self.assertTrue(self.vanishes(udp(1)))
        self.assertTrue(self.arrives(udp(2)))
        status, messages = attached.end()
        self.assertEqual(status, 0)
        self.assertTrue(messages.endswith("1 packet matched\n1 packet did not\n"), messages)
        self.assertTrue(self.arrives(udp(1)))

    def test_nothing_stays_of_a_killed_one(self):
        attached = self.attach("-i", "far", "--mode=generic", *DROP_WHAT_MATCHES, "src host 192.0.2.1")
        self.assertIn("generic mode", attached.said)
        self.assertTrue(self.vanishes(udp(1)))
        attached.end(signal.SIGKILL)
        self.assertTrue(self.arrives(udp(1)))

    def test_traffic_control(self):
        attached = self.attach("-i", "near", "--hook=tc-egress", *DROP_WHAT_MATCHES, "src host 192.0.2.1")
        self.assertIn("traffic control of near, egress (tcx)", attached.said)
        self.assertTrue(self.vanishes(udp(1)))
        self.assertTrue(self.arrives(udp(2)))
        self.assertEqual(attached.end()[0], 0)
        self.assertTrue(self.arrives(udp(1)))

    def test_a_list_that_lives(self):
        attached = self.attach("-i", "far", "--live", *DROP_WHAT_MATCHES, "src host 192.0.2.1")
        self.assertTrue(self.vanishes(udp(1)))
        attached.tell("add 192.0.2.2")
        self.assertTrue(self.until(lambda: self.vanishes(udp(2))))
        attached.tell("remove 192.0.2.1")
        self.assertTrue(self.until(lambda: self.arrives(udp(1), wait=0.1)))
        for line in ("remove 192.0.2.9", "add nonsense", "drop 192.0.2.9", "", "add", "\tadd  192.0.2.3 \r"):
            attached.tell(line)
        self.assertTrue(self.until(lambda: self.vanishes(udp(3))))
        attached.process.stdin.write("add 192.0.2.4")  # the last line need not end
        attached.process.stdin.close()
        self.assertTrue(self.until(lambda: self.vanishes(udp(4))))
        status, messages = attached.end()
        self.assertEqual(status, 0)
        self.assertIn("192.0.2.9 is not in the list", messages)
        self.assertIn("'nonsense' is no address", messages)
        self.assertIn("'drop 192.0.2.9' is neither", messages)
        self.assertIn("'add' wants an address", messages)

    def test_pinned(self):
        pins = pathlib.Path("pins").absolute()
        pins.mkdir()
        subprocess.run(["mount", "-t", "bpf", "bpf", str(pins)], check=True)
        self.addCleanup(subprocess.run, ["umount", str(pins)], check=True)
        attached = self.attach("-i", "far", f"--pin={pins}/filter", *DROP_WHAT_MATCHES, "src host 192.0.2.1")
        status, messages = attached.wait()
        self.assertEqual(status, 0, messages)
        self.assertIn(f"it stays until {pins}/filter is removed", messages)
        self.assertTrue(self.vanishes(udp(1)))
        os.unlink(pins / "filter")
        self.assertTrue(self.until(lambda: self.arrives(udp(1), wait=0.1)))

    def test_what_is_in_the_way(self):
        first = self.attach("-i", "far", "udp")
        self.assertIn("on far", first.said)
        status, messages = self.attach("-i", "far", "udp").wait()
        self.assertEqual(status, 1)
        self.assertIn("far has an XDP program already: program", messages)

    def test_a_missing_capability_is_named(self):
        words = self.network.command("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=65534", "--clear-groups", WEIR, "attach", "-i", "far", "udp")
        done = subprocess.run(words, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("CAP_BPF and CAP_NET_ADMIN and CAP_PERFMON are missing", done.stderr)

    def test_wrong_use(self):
        for words, message in ((("-i", "nothing", "udp"), "nothing"), (("udp",), "-i is required: an interface"), (("-i", "far", "--hook=socket", "udp"), "Filter::attach"),
                               (("-i", "far", "--mode=fast", "udp"), "native or generic"), (("-i", "far", "--egress", "udp"), "--hook=cgroup"),
                               (("-i", "far", "--live", "--pin=x", "udp"), "--live")):
            done = self.network.run(WEIR, "attach", *words)
            self.assertIn(done.returncode, (1, 2), words)
            self.assertIn(message, done.stderr)


if __name__ == "__main__":
    main()
