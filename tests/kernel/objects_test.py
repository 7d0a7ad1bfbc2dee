#!/usr/bin/env python3
"""Objects of weir compile --emit=ebpf-object, loaded as they are by the programs that others have: bpftool, ip and tc."""
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import unittest

from network import NetworkTest, SOURCE, WEIR, main  # noqa: F401

HOSTS = 2000


def udp(sender, receiver=0x0a000001):
    header = struct.pack(">BBHHHBBHII", 0x45, 0, 46, 0, 0, 64, 17, 0, sender, receiver)
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + header + bytes(26)


def tools_that_are_missing():
    return [tool for tool in ("bpftool", "tc") if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]


class Objects(NetworkTest):
    def setUp(self):
        super().setUp()
        self.assertEqual(tools_that_are_missing(), [])
        # Only in here, and only as long as this process holds it.
        self.pins = pathlib.Path("pins").absolute()
        self.pins.mkdir()
        subprocess.run(["mount", "-t", "bpf", "bpf", str(self.pins)], check=True)
        self.addCleanup(subprocess.run, ["umount", str(self.pins)], check=True)

    def compile(self, *words, text=None):
        """An object of the filter."""
        subprocess.run([WEIR, "compile", "--emit=ebpf-object", "-o", "filter.o", *words], input=text, text=True, check=True)
        return pathlib.Path("filter.o").absolute()

    def tool(self, *words):
        done = self.network.run(*words)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def arrives(self, frame, wait=2):
        receiver = self.network.sender("far")  # without a protocol it gets nothing: bound anew for all
        self.addCleanup(receiver.close)
        receiver.bind(("far", 3))
        receiver.settimeout(wait)
        try:
            self.sender("near").send(frame)
            return receiver.recv(2000)[:len(frame)] == frame
        except OSError:
            return False

    def test_bpftool_loads_all_hooks(self):
        for hook, kind in (("socket", "socket_filter"), ("xdp", "xdp"), ("tc-ingress", "sched_cls"), ("tc-egress", "sched_cls"),
                           ("cgroup", "cgroup_skb"), ("tracing", "raw_tracepoint")):
            with self.subTest(hook=hook):
                path = self.compile(f"--hook={hook}", "tcp port 80 or udp")
                pin = str(self.pins / hook)
                self.tool("bpftool", "prog", "load", path, pin)
                shown = json.loads(self.tool("bpftool", "-j", "prog", "show", "pinned", pin))
                self.assertEqual((shown["type"], shown["name"], shown["gpl_compatible"]), (kind, "weir", True))
                os.unlink(pin)

    def test_words_of_the_filter_are_source_lines(self):
        self.tool("bpftool", "prog", "load", self.compile("--hook=xdp", "tcp port 80 or udp"), str(self.pins / "filter"))
        dump = self.tool("bpftool", "prog", "dump", "xlated", "pinned", str(self.pins / "filter"), "linum")
        self.assertRegex(dump, r"; tcp port 80 \[file:filter line_num:1 line_col:1\]")
        self.assertRegex(dump, r"; udp \[file:filter line_num:1 line_col:16\]")

    def test_ip_puts_it_on_an_interface(self):
        path = self.compile("--hook=xdp", "--match=drop", "--no-match=pass", "src host 192.0.2.1")
        self.tool("ip", "link", "set", "dev", "far", "xdp", "obj", path, "sec", "xdp.frags")
        self.assertIn("xdp", self.tool("ip", "link", "show", "dev", "far"))
        self.assertFalse(self.arrives(udp(0xc0000201), wait=0.1))
        self.assertTrue(self.arrives(udp(0xc0000202)))
        self.tool("ip", "link", "set", "dev", "far", "xdp", "off")
        self.assertTrue(self.arrives(udp(0xc0000201)))

    def test_tc_takes_it_as_a_filter(self):
        path = self.compile("--hook=tc-egress", "--match=drop", "--no-match=pass", "src host 192.0.2.1")
        self.tool("tc", "qdisc", "add", "dev", "near", "clsact")
        self.tool("tc", "filter", "add", "dev", "near", "egress", "bpf", "da", "obj", path, "sec", "tc")
        self.assertIn("direct-action", self.tool("tc", "filter", "show", "dev", "near", "egress"))
        self.assertFalse(self.arrives(udp(0xc0000201), wait=0.1))
        self.assertTrue(self.arrives(udp(0xc0000202)))

    def test_long_lists_at_all_hooks(self):
        text = " or ".join(f"ip src host 10.{i // 250}.{i % 250}.{i * 7 % 250}" for i in range(1000))
        for hook in ("socket", "tc-ingress", "cgroup", "tracing"):
            with self.subTest(hook=hook):
                pin = str(self.pins / hook)
                self.tool("bpftool", "prog", "load", self.compile(f"--hook={hook}", "--maps=256", "-F", "-", text=text), pin)
                os.unlink(pin)

    def test_a_long_list_is_in_the_object(self):
        chance = random.Random(1)
        hosts = [chance.randrange(0x01000000, 0xe0000000) for _ in range(HOSTS)]
        text = " or ".join(f"ip src host {h >> 24}.{h >> 16 & 255}.{h >> 8 & 255}.{h & 255}" for h in hosts)
        path = self.compile("--hook=xdp", "--maps=256", "-F", "-", text=text)
        self.tool("ip", "link", "set", "dev", "far", "xdp", "obj", path, "sec", "xdp.frags")
        for host in hosts[:20]:
            self.assertTrue(self.arrives(udp(host)))
            for beside in {host - 1, host + 1} - set(hosts):
                self.assertFalse(self.arrives(udp(beside), wait=0.02))
        maps = json.loads(self.tool("bpftool", "-j", "map", "show"))
        self.assertTrue(any(m.get("name", "").endswith("rodata") and m.get("frozen") for m in maps))


if __name__ == "__main__":
    main()
