#!/usr/bin/env python3
"""weir run: programs on packets."""
import shutil
import subprocess
import unittest

from program import PACKETS, ProgramTest, run

ARP = "ffffffffffff 020000000001 0806 0001080006040001"
ARP_TEXT = """r2 = *(u32 *)(r1 +76)
r3 = *(u32 *)(r1 +80)
r0 = 0
r4 = r2
r4 += 14
if r4 > r3 goto out
r5 = *(u16 *)(r2 +12)
if r5 != 0x608 goto out
r0 = 1
out: exit
"""


class Run(ProgramTest):
    def write(self, name, text):
        (self.folder / name).write_text(text)
        return name

    def test_expression(self):
        self.assertEqual(self.check("run", "--packet", ARP, "arp"), "packet 1: 262144 (0x40000), 3 instructions\n")
        self.assertEqual(self.check("run", "--packet", ARP, "ip"), "packet 1: 0 (0x0), 3 instructions\n")

    def test_expression_as_ebpf_at_every_hook_of_frames(self):
        for hook in ("xdp", "tc-ingress", "tc-egress", "socket"):
            for linear in (0, 13, 22):
                values = []
                for expression in ("arp", "ip"):
                    line = self.check("run", "--hook", hook, "--linear", linear, "--packet", ARP, expression)
                    values.append(int(line.split()[2]))
                self.assertNotEqual(*values, (hook, linear))

    def test_savefile_has_a_line_a_packet(self):
        lines = self.check("run", "--packet", PACKETS / "ipv4.pcap", "tcp").splitlines()
        kept = self.check("filter", "-r", PACKETS / "ipv4.pcap", "--count", "tcp").split()[0]
        self.assertEqual(sum(": 0 (" not in line for line in lines), int(kept))

    def test_text(self):
        name = self.write("arp.txt", ARP_TEXT)
        self.assertEqual(self.check("run", "--ebpf", name, "--hook", "tc-ingress", "--packet", ARP), "packet 1: 1 (0x1), 10 instructions\n")
        self.assertEqual(self.check("run", "--ebpf", name, "--hook", "tc-ingress", "--packet", ARP, "--linear", 13),
                         "packet 1: 0 (0x0), 7 instructions\n")

    def test_bytes_and_digits(self):
        code = bytes.fromhex("b700000005000000" "9500000000000000")
        (self.folder / "code").write_bytes(code)
        (self.folder / "digits").write_text(code.hex(" ") + "\n")
        for name in ("code", "digits"):
            self.assertEqual(self.check("run", "--ebpf", name, "--packet", "00"), "packet 1: 5 (0x5), 2 instructions\n")
        self.assertEqual(self.check("run", "--ebpf", "-", "--packet", "00", stdin=code), "packet 1: 5 (0x5), 2 instructions\n")
        self.check_error(1, "12 bytes are no program", "run", "--ebpf", "-", "--packet", "00", stdin=b"\0" * 12)

    @unittest.skipUnless(shutil.which("clang-19"), "clang-19 is not installed")
    def test_object_of_clang(self):
        self.write("prog.c", """
            #include <linux/bpf.h>
            #include <bpf/bpf_helpers.h>
            struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u64); __uint(max_entries, 2); } counts SEC(".maps");
            const volatile __u32 wanted = 7;
            static __attribute__((noinline)) __u32 twice(__u32 n) { return n * 2; }
            SEC("xdp") int first(struct xdp_md *m) {
              __u32 key = 1;
              __u64 *count = bpf_map_lookup_elem(&counts, &key);
              if (count) __sync_fetch_and_add(count, 1);
              return twice(m->ingress_ifindex) + wanted + (count ? *count : 0);
            }
            SEC("socket") int second(struct __sk_buff *skb) { return skb->len; }
        """)
        subprocess.run(["clang-19", "-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu", "-c", "prog.c"], check=True)
        self.assertEqual(self.check("run", "--ebpf", "prog.o", "--program", "second", "--packet", "0102"), "packet 1: 2 (0x2), 2 instructions\n")
        lines = self.check("run", "--ebpf", "prog.o", "--program", "first", "--packet", "0102", "--packet", "03", "--meta", "ifindex=5").splitlines()
        self.assertEqual([line.split()[2] for line in lines], ["18", "19"])
        self.check_error(1, "has several programs, and one must be chosen: first, second", "run", "--ebpf", "prog.o", "--packet", "00")

    def test_classic_programs(self):
        program = self.check("compile", "-ddd", "arp")
        self.assertEqual(self.check("run", "--cbpf", "-", "--packet", ARP, stdin=program.encode()), "packet 1: 262144 (0x40000), 3 instructions\n")

    def test_classic_programs_without_a_verdict_stop(self):
        past_end = "instruction {} ({}) leads out of the program"
        for program, where in (("", "the program has no instructions"), ("40 0 0 12", past_end.format(0, "ldh [12]")),
                               ("40 0 0 12,21 0 3 2054,6 0 0 1", ""),
                               ("40 0 0 12,21 3 0 2054,6 0 0 1", past_end.format(1, "jeq #0x806")),
                               ("96 0 0 16,6 0 0 1", "is about a scratch word"),
                               ("5 0 0 4294967295", "the program does not end"), ("255 0 0 0", "is none that machines know")):
            with self.subTest(program=program):
                lines = program.split(",") if program else []
                process = run("run", "--cbpf", "-", "--machine=libpcap", "--packet", ARP, stdin="\n".join([str(len(lines)), *lines]).encode())
                self.assertIn(b"a kernel would not take the program", process.stderr)
                if not where:  # the packet goes another way
                    self.assertEqual((process.returncode, process.stdout), (0, b"packet 1: 1 (0x1), 3 instructions\n"))
                else:
                    self.assertEqual(process.returncode, 1)
                    self.assertIn(where, process.stdout.decode())

    def test_trace(self):
        lines = self.check("run", "--trace", "--packet", ARP, "arp").splitlines()
        self.assertRegex(lines[0], r"^ +0: ldh +\[12\] +a = 0x806 +; arp$")
        self.assertEqual(len(lines), 4)
        lines = self.check("run", "--trace", "--ebpf", self.write("arp.txt", ARP_TEXT), "--hook=tc-ingress", "--packet", ARP).splitlines()
        self.assertRegex(lines[6], r"^ +6: r5 = \*\(u16 \*\)\(r2 \+12\) +r5 = 0x608$")

    def test_metadata(self):
        self.assertIn(": 0 (", self.check("run", "--linux-ext", "--packet", ARP, "vlan"))
        self.assertIn(": 262144 (", self.check("run", "--linux-ext", "--meta", "vlan=7", "--packet", ARP, "vlan", "7"))

    def test_what_a_kernel_would_not_take_runs_and_stops(self):
        process = run("run", "--ebpf", self.write("bad", "r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +100)\nexit\n"), "--hook=xdp", "--packet", ARP)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"a kernel would not take the program", process.stderr)
        self.assertIn(b"packet 1: stopped after 2 instructions: instruction 1 (r0 = *(u8 *)(r2 +100)) reads 1 bytes", process.stdout)

    def test_loops_end(self):
        process = run("run", "--ebpf", self.write("loop", "goto pc-1\n"), "--packet", "00")
        self.assertIn(b"does not end", process.stdout)

    def test_wrong_use(self):
        self.check_error(2, "--packet is required", "run", "arp")
        self.check_error(1, "half of one is missing", "run", "--packet", "08:0", "arp")
        self.check_error(1, "as bytes in hexadecimal, or as a savefile", "run", "--packet", "zz", "arp")
        self.check_error(2, "--hook=tcx is unknown; there are socket, socket-btf, xdp", "run", "--hook=tcx", "--packet", "00", "arp")
        self.check_error(2, "--linear is for eBPF: say where with --hook", "run", "--linear=4", "--packet", "00", "arp")
        self.check_error(2, "both say what to run", "run", "--ebpf", "a", "--cbpf", "b", "--packet", "00")
        self.check_error(2, "there is an expression, too", "run", "--ebpf", "a", "--packet", "00", "arp")
        self.check_error(2, "--meta takes NAME=NUMBER", "run", "--meta", "mark=1", "--packet", "00", "arp")
        self.check_error(1, "missing.pcap", "run", "--packet", "missing.pcap", "arp")
        message = self.check_error(1, "'r11' stands where a register should be", "run", "--ebpf", self.write("bad", "r0 = 0\nr11 = 1\n"), "--packet", "00")
        self.assertIn("  r11 = 1\n  ^~~", message)


if __name__ == "__main__":
    unittest.main()
