"""weir prove and weir compile --check: answers, exit status, the packet, wrong use."""
import pathlib
import random
import struct
import unittest

from program import ProgramTest, run


class Answers(ProgramTest):
    def prove(self, status, *arguments, **more):
        """What is printed, where the answer has this exit status."""
        process = run("prove", *arguments, **more)
        self.assertEqual((process.returncode, process.stderr.decode()), (status, ""), arguments)
        return process.stdout.decode()

    def test_filters_that_mean_the_same(self):
        for same in (("not (ip or arp)", "not ip and not arp"), ("ip host 1.2.3.4", "ip src 1.2.3.4 or ip dst 1.2.3.4"),
                     ("portrange 80-81", "port 80 or port 81"), ("greater 14 and ip", "ip"), ("net 10.0.0.0/9 or net 10.128.0.0/9", "net 10"),
                     ("tcp[2:2] = 80", "tcp[2] = 0 and tcp[3] = 80"), ("ip[0] & 0xf = 5", "ip[0] % 16 = 5"), ("-y", "RAW", "ip", "ip[0] >> 4 = 4")):
            self.assertRegex(self.prove(0, *same), r"^proven: they accept the same packets \(\d+\.\d\d s\)\n$")

    def test_filters_that_differ(self):
        answer = self.prove(3, "ip", "ip or arp")
        self.assertRegex(answer, r"^different: a packet of 14 bytes tells them apart")
        self.assertIn("the first rejects it", answer)
        self.assertIn("the second accepts it: keeps 262144 bytes", answer)
        self.assertIn("  0000  00 00 00 00 00 00 00 00 00 00 00 00 08 06\n", answer)
        for apart in (("tcp port 80", "tcp dst port 80"), ("len > 100", "len >= 100"), ("ip[2:2] * 3 = 9", "ip[2:2] = 3 and ip[4] = 4")):
            self.prove(3, *apart)

    def test_a_filter_and_its_program(self):
        for expression in ("", "tcp port 80", "vlan and ip6 and not udp", "tcp[tcpflags] & tcp-syn != 0", "ip6 proto 6", "len > ip[2:2]"):
            self.assertIn("proven", self.prove(0, expression))
            self.assertIn("proven", self.prove(0, "--refines", expression))
            self.assertIn("cut off anywhere", self.prove(0, "--exact", "-O", expression))

    def test_relations(self):
        looks = "ip[100] = 1 or ip[100] != 1"
        self.prove(0, looks, "ip")
        self.prove(3, "-O", looks, "ip", "--exact")

    def test_a_program(self):
        program = run("compile", "-ddd", "udp port 53").stdout
        self.assertIn("proven", self.prove(0, "udp port 53", "--bytecode", "-", stdin=program))
        self.prove(3, "udp port 54", "--bytecode", "-", stdin=program)
        self.prove(3, "tcp or udp port 53", "--bytecode", "-", "--machine=libpcap", stdin=program)
        with open("p", "wb") as file:
            file.write(program)
        self.prove(0, "udp port 53", "--bytecode", "p", "--machine=kernel")

    def test_a_program_in_the_syntax_of_bpf_asm(self):
        self.assertIn("proven", self.prove(0, "arp", "--bytecode", "-", stdin=b"ldh [12]\njne #0x806, no\nret #96\nno: ret #0\n"))

    def test_machines_differ(self):
        # ret 1 << [0]: the kernel shifts by the low five bits
        program = b"5\n48 0 0 0\n7 0 0 0\n0 0 0 1\n108 0 0 0\n22 0 0 0\n"
        self.prove(0, "ether[0] < 32", "--bytecode", "-", "--machine=libpcap", stdin=program)
        self.assertIn("on the kernel's machine", self.prove(3, "ether[0] < 32", "--bytecode", "-", stdin=program))

    def test_a_thousand_hosts_and_a_wrong_key(self):
        source = random.Random(1)
        hosts = [".".join(str(source.randrange(1, 255)) for _ in range(4)) for _ in range(1000)]
        as_filter = lambda all_hosts: " or ".join("src host " + h for h in all_hosts)
        self.prove(0, as_filter(hosts), as_filter(sorted(hosts)))
        self.prove(0, "--exact", as_filter(hosts))
        wrong = hosts[:500] + ["1.2.3.4"] + hosts[501:]
        self.prove(3, as_filter(hosts), as_filter(wrong))

    def test_the_packet_is_written(self):
        self.prove(3, "udp port 53", "udp src port 53", "-w", "packet.pcap")
        self.assertEqual(self.check("filter", "-r", "packet.pcap", "--count", "udp dst port 53"), "1 packet\n")
        self.assertEqual(self.files(), ["packet.pcap"])
        self.prove(0, "ip", "ip", "-w", "none.pcap")
        self.assertEqual(self.files(), ["packet.pcap"])
        process = run("prove", "ip", "arp", "-w", "-")
        self.assertEqual(process.returncode, 3)
        self.assertEqual(struct.unpack("=I", process.stdout[:4])[0], 0xa1b2c3d4)
        self.assertIn(b"different: ", process.stderr)

    def test_filters_from_files(self):
        hosts = [f"10.{n >> 8}.{n & 255}.1" for n in range(20000)]  # longer than an argument may be
        pathlib.Path("old").write_text("dst host (" + " or ".join(hosts) + ")\n")
        pathlib.Path("new").write_text(" or ".join("dst host " + h for h in reversed(hosts)))
        self.prove(0, "-F", "old", "-F", "new")
        self.prove(3, "-F", "new", "dst net 10.0.0.0/8")
        self.assertIn(b"proven: ", run("prove", "-F", "-", "arp", stdin=b"ether proto 0x806").stdout)
        pathlib.Path("wrong").write_text("tcp port\nportt 80\n")
        self.check_error(2, "wrong: line 2", "prove", "-F", "wrong")
        self.check_error(1, "cannot read missing", "prove", "ip", "-F", "missing")
        self.check_error(2, "read once only", "prove", "-F", "-", "--bytecode", "-")
        self.check_error(2, "one or two filters", "prove", "-F", "old", "-F", "new", "ip")

    def test_undecided(self):
        loop = b"2\n5 0 0 4294967295\n6 0 0 0\n"
        self.check_error(1, "undecided: the program has a loop", "prove", "ip", "--bytecode", "-", stdin=loop)

    def test_too_little_time(self):
        hosts = " or ".join(f"host 10.{n % 7}.{n * 37 % 251}.{n * 91 % 253}" for n in range(300))
        for arguments in ("prove", "--timeout=0.001", "--refines"), ("compile", "--timeout=0.001", "--check"):
            self.check_error(1, "not decided within 0.001 s\n  hint: --timeout SECONDS gives it longer", *arguments, hosts)

    def test_wrong_use(self):
        self.check_error(2, "a filter is missing", "prove")
        self.check_error(2, "one or two filters", "prove", "ip", "or", "arp")
        self.check_error(2, "--bytecode there is one filter", "prove", "ip", "arp", "--bytecode", "x")
        self.check_error(2, "only one can be proven", "prove", "--exact", "--refines", "ip")
        self.check_error(2, "--machine takes", "prove", "--machine=mine", "ip")
        self.check_error(2, "--timeout takes", "prove", "--timeout=0", "ip")
        self.check_error(2, "syntax error", "prove", "ip", "port port")
        self.check_error(1, "cannot read", "prove", "ip", "--bytecode", "missing")
        self.check_error(2, "a filter is missing that the program of --bytecode", "prove", "--bytecode", "x")
        self.check_error(1, "standard input: 'nonsense' is no instruction", "prove", "ip", "--bytecode", "-", stdin=b"nonsense")
        self.check_error(1, "standard input: the text ends after 1 of 2 instructions", "prove", "ip", "--bytecode", "-", stdin=b"2\n6 0 0 0\n")
        self.check_error(1, "standard input: line 3: more follows", "prove", "ip", "--bytecode", "-", stdin=b"1\n6 0 0 0\n6 0 0 0\n")


class Check(ProgramTest):
    def test_what_is_proven_is_what_is_printed(self):
        for option, claim in (("--emit=c", "the graph that the code is written from does"), ("--emit=native", "the graph that the code is written from does"),
                              ("--emit=ir", "the graph does"), ("--emit=ir:sets", "the graph does"), ("-d", "the program does")):
            process = run("compile", "--check", option, "tcp port 80 or 443")
            self.assertIn(f"proven: {claim} what the filter says", process.stderr.decode())
            self.assertTrue(process.stdout)

    def test_the_program_is_printed_behind_a_proof(self):
        for arguments in ("tcp port 80",), ("-y", "LINUX_SLL", "ip6 and udp"), ("--linux-ext", "vlan 5 and inbound"), ("--emit=asm", "icmp"):
            process = run("compile", "--check", *arguments)
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertEqual(process.stdout, run("compile", *arguments).stdout)
            self.assertRegex(process.stderr.decode(), r"^weir: proven: the program does what the filter says \(\d+\.\d\d s\)\n$")

    def test_wrong_use(self):
        self.check_error(2, "--timeout is for --check", "compile", "--timeout", "3", "ip")


if __name__ == "__main__":
    unittest.main()
