"""weir compile: formats, options, errors, where the text comes from and goes to."""
import ctypes
import ctypes.util
import json
import os
import pathlib
import platform
import re
import subprocess
import unittest

from program import PACKETS, ProgramTest, WEIR, run

EXPRESSIONS = ("", "ip", "tcp port 80", "ip6 and not udp", "tcp[tcpflags] & tcp-syn != 0", "vlan 10 and host 10.0.0.1",
               "len > 100 and ip[6:2] & 0x1fff = 0", "ether[0] & 1 = 0 and ip[16] >= 224", "net 10.0.0.0/8 or arp")


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]


def tcpdump_forms(decimal):
    """-d and -dd of a program as tcpdump prints them: libpcap's own printer, and bpf_dump.c's format."""
    libpcap = ctypes.CDLL(ctypes.util.find_library("pcap"))
    libpcap.bpf_image.restype = ctypes.c_char_p
    program = [Instruction(*map(int, line.split())) for line in decimal.splitlines()[1:]]
    listing = "".join(libpcap.bpf_image(ctypes.byref(i), n).decode() + "\n" for n, i in enumerate(program))
    c_array = "".join(f"{{ 0x{i.code:x}, {i.jt}, {i.jf}, 0x{i.k:08x} }},\n" for i in program)
    return listing, c_array


class Formats(ProgramTest):
    def test_listings_are_tcpdumps(self):
        for expression in EXPRESSIONS:
            decimal = self.check("compile", "-ddd", expression)
            listing, c_array = tcpdump_forms(decimal)
            self.assertEqual(self.check("compile", expression), listing)
            self.assertEqual(self.check("compile", "-d", expression), listing)
            self.assertEqual(self.check("compile", "-dd", expression), c_array)
            self.assertEqual(self.check("compile", "-d", "-d", "-d", expression), decimal)

    def test_short_programs_are_tcpdumps(self):
        """Where there is only one sensible program, all of the output is equal."""
        for expression in ("", "ip", "arp", "tcp", "ether proto 0x88cc", "len > 100"):
            for form in ("-d", "-dd", "-ddd"):
                theirs = subprocess.run(["tcpdump", "-y", "EN10MB", form, expression], capture_output=True, text=True)
                self.assertEqual(self.check("compile", form, expression), theirs.stdout)

    def test_emit_names_of_the_listings(self):
        for flag, name in (("-d", "listing"), ("-dd", "c-array"), ("-ddd", "decimal")):
            self.assertEqual(self.check("compile", f"--emit={name}", "tcp"), self.check("compile", flag, "tcp"))

    def test_bytecode_is_decimal_on_one_line(self):
        for expression in EXPRESSIONS:
            decimal = self.check("compile", "-ddd", expression)
            bytecode = self.check("compile", "--emit=bytecode", expression)
            self.assertEqual(bytecode, ",".join(decimal.splitlines()) + "\n")

    def test_json(self):
        text = "ip and tcp port 80"
        program = json.loads(self.check("compile", "--emit=json", text))["instructions"]
        decimal = self.check("compile", "-ddd", text)
        numbers = "".join(f"{i['code']} {i['jt']} {i['jf']} {i['k']}\n" for i in program)
        self.assertEqual(f"{len(program)}\n{numbers}", decimal)
        self.assertEqual(program[0]["text"], "ldb [23]")
        self.assertLessEqual({text[i["begin"]:i["end"]] for i in program}, {"ip", "tcp port 80", text, ""})

    def test_stages(self):
        for kind, start in (("asm", "#define"), ("dot", "digraph"), ("ast", "tcp"), ("pred", "and"), ("ir", "n0: "),
                            *([("native", "; tcp")] if platform.machine() in ("x86_64", "aarch64") else [])):
            output = self.check("compile", f"--emit={kind}", "tcp")
            self.assertTrue(output.startswith(start) or kind == "pred", output)
            self.assertTrue(output.endswith("\n"))

    def test_code_for_another_cpu(self):
        listing = self.check("compile", "--emit=native", "--cpu=aarch64", "arp")
        self.assertTrue(listing.startswith("; arp\n"), listing)
        self.assertIn("ldrh w4, [x0, #12]", listing)
        self.assertTrue(listing.endswith("ret\n"), listing)
        if platform.machine() == "x86_64":
            self.assertEqual(self.check("compile", "--emit=native", "--cpu=x86-64", "arp"), self.check("compile", "--emit=native", "arp"))
        self.check_error(2, "--cpu is for --emit=native", "compile", "--cpu=aarch64", "arp")
        self.check_error(2, "not 'arm'", "compile", "--emit=native", "--cpu=arm", "arp")

    def test_the_graph_after_each_pass(self):
        expression = ("arp or tcp port 80 or tcp port 443 or "
                      "(ip[0] = 0x45 and not broadcast and not multicast and ether[6] = 1 and ether[7] = 2 and src net 10.0.0.0/8)")
        rows = (" or ".join(f"(src host 10.0.0.{i} and dst port {i})" for i in range(1, 8)),
                " or ".join(f"(host 10.0.0.{3 * i} and port {i})" for i in range(1, 15)),
                " or ".join(f"(host 10.0.0.{3 * i} and portrange {i}-{i + 20})" for i in range(1, 9)))
        names = re.search(r"PASS: ([^)]*)\)", " ".join(self.check("compile", "--help").split())).group(1).split(", ")
        manual = (PACKETS.parents[1] / "man" / "weir.1").read_text()
        self.assertEqual([n for n in names if not re.search(rf"^\.BR? {n}( ,)?$", manual, re.M)], [])
        idle = set(names)
        for each in (expression, *rows):
            before = None
            for name in names:
                graph = self.check("compile", f"--emit=ir:{name}", each)
                idle -= {name} if graph != before else set()
                before = graph
        self.assertEqual(idle, set())  # each does something here
        graphs = {name: self.check("compile", f"--emit=ir:{name}", expression) for name in ("values", "sets")}
        self.assertNotIn(" in {", graphs["values"])
        self.assertIn(" in {", graphs["sets"])
        message = self.check_error(2, "--emit=ir:fold is unknown", "compile", "--emit=ir:fold", "tcp")
        self.assertIn(", ".join(names), " ".join(message.split()))
        self.check_error(2, "-O turns off", "compile", "-O", "--emit=ir:sets", "tcp")

    def test_ebpf(self):
        listing = self.check("compile", "--emit=ebpf", "--hook=xdp", "ip")
        self.assertIn("; ip\n", listing)
        self.assertIn("r2 = *(u16 *)(r7 +12)", listing)
        self.assertIn("if w2 != 0x8 goto", listing)
        program = json.loads(self.check("compile", "--emit=json", "--hook=tc-egress", "--match=drop", "--no-match=next", "--maps=2", "host 10.0.0.1 or 10.0.0.5"))
        self.assertEqual((program["hook"], program["no_match"]), ("tc-egress", -1))
        self.assertEqual(program["maps"][0]["keys"], ["0a000001", "0a000005"])
        self.assertIn("jt", self.check("compile", "--emit=json", "ip"))  # classic BPF without a hook
        self.assertEqual(self.check("compile", "--emit=ebpf", "--hook=cgroup", "ip"), self.check("compile", "--emit=ebpf", "--hook=cgroup", "-y", "RAW", "ip"))

    def test_hooks_and_actions(self):
        self.check_error(2, "--hook=nfq is unknown; there are socket, socket-btf, xdp", "compile", "--emit=ebpf", "--hook=nfq", "ip")
        self.check_error(2, "an object cannot say where a socket's packet is", "compile", "--emit=ebpf-object", "--hook=socket-btf", "ip")
        self.check_error(2, "--match=tx is no action of hook cgroup", "compile", "--emit=ebpf", "--hook=cgroup", "--match=tx", "ip")
        self.check_error(2, "--hook is for", "compile", "--hook=xdp", "ip")
        self.check_error(2, "wants a --hook", "compile", "--emit=json", "--maps=1", "ip")
        self.check_error(2, "return the same", "compile", "--emit=ebpf", "--hook=xdp", "--match=drop", "ip")
        self.check_error(2, "programs of hook xdp cannot ask for", "compile", "--emit=ebpf", "--hook=xdp", "--linux-ext", "inbound and ip")

    def test_unknown_kind(self):
        self.check_error(2, "--emit=nonsense is unknown", "compile", "--emit=nonsense")


class From(ProgramTest):
    """Programs of others."""

    def decimal(self, expression, *options):
        return subprocess.run(["tcpdump", "-ddd", "-s", "262144", "-y", "EN10MB", *options, expression], capture_output=True).stdout

    def test_what_tcpdump_prints(self):
        for expression in EXPRESSIONS:
            for options in ((), ("-O",)):
                again = self.check("compile", "--from=-", "-ddd", stdin=self.decimal(expression, *options))
                pathlib.Path("again").write_text(again)
                self.assertIn("proven", self.check("prove", expression, "--bytecode", "again"))

    def test_what_weir_prints_is_read_back(self):
        for expression in EXPRESSIONS:
            for kind in ("asm", "decimal", "bytecode"):
                text = self.check("compile", f"--emit={kind}", expression)
                again = self.check("compile", "--from", "-", "--emit=decimal", stdin=text.encode())
                self.assertEqual(again, self.check("compile", "--from", "-", "-ddd", stdin=self.check("compile", "-ddd", expression).encode()))

    def test_never_longer(self):
        for expression in ("geneve and tcp port 80", "geneve and vlan 100 and udp port 53"):
            program = self.decimal(expression)
            again = self.check("compile", "--from=-", "-ddd", stdin=program)
            self.assertLessEqual(int(again.split()[0]), int(program.split()[0]))

    def test_kinds(self):
        program = self.decimal("tcp port 80")
        for kind in ("listing", "c-array", "asm", "json", "bytecode", "dot", "ir", "ir:values", "ir:order", "c"):
            self.assertTrue(self.check("compile", "--from=-", f"--emit={kind}", stdin=program))
        for kind in ("ast", "pred"):
            self.check_error(2, "no expression", "compile", "--from=-", f"--emit={kind}", stdin=program)
        self.assertIn("/* (001) jeq #0x86dd jt 2 jf 8 */", self.check("compile", "--from=-", "-O", "--emit=asm", stdin=program))
        asm = self.check("compile", "--from=-", "-O", "--emit=asm", stdin=b"ldh [12]\njne #ETHERTYPE_IP, no\nret #96\nno: ret #0\n")
        self.assertIn("/* jne #ETHERTYPE_IP, no */", asm)

    def test_the_check(self):
        process = run("compile", "--from=-", "--check", "-ddd", stdin=self.decimal("tcp port 80 or icmp", "-O"))
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"proven: the program does what the one given says", process.stderr)

    def test_the_check_of_ebpf(self):
        for hook in ("socket", "xdp", "tc-ingress", "tc-egress", "cgroup"):
            process = run("compile", "--check", "--emit=ebpf", f"--hook={hook}", "tcp port 80 or net 10.0.0.0/8")
            self.assertEqual(process.returncode, 0)
            self.assertIn(b"proven: the program does what the filter says", process.stderr)
        process = run("compile", "--check", "--emit=json", "--hook=xdp", "--match=drop", "--no-match=pass", "--maps=1", "host 10.0.0.1 or host 10.0.0.2")
        self.assertIn(b"proven", process.stderr)
        hosts = " or ".join(f"host 10.{n % 7}.{n * 37 % 251}.{n * 91 % 253}" for n in range(130))  # which attach has in a table
        process = run("compile", "--check", "--emit=ebpf", "--hook=socket-btf", hosts)
        self.assertIn(b"proven: the program does what the filter says", process.stderr)
        process = run("compile", "--from=-", "--check", "--emit=ebpf", "--hook=xdp", stdin=self.decimal("tcp port 80 or icmp"))
        self.assertIn(b"proven: the program does what the one given says", process.stderr)
        for stage in ("ast", "pred"):
            self.check_error(2, "--emit=ast and pred show what that is made of", "compile", "--check", f"--emit={stage}", "tcp")
        self.check_error(2, "not objects", "compile", "--check", "--emit=ebpf-object", "-o", "x.o", "tcp")
        self.check_error(2, "tracepoints", "compile", "--check", "--emit=ebpf", "--hook=tracing", "tcp")

    def test_errors_say_the_line(self):
        pathlib.Path("program").write_text("ldh [12]\nld #rand\nret a\n")
        message = self.check_error(1, "weir: error: program: line 2: instruction 1 (ld [random]): a filter cannot mean this", "compile", "--from=program")
        self.assertIn("  ld #rand\n  ^~~~~~~~", message)
        self.check_error(1, "standard input: line 3: 'lda' is no instruction", "compile", "--from=-", stdin=b"tax\n\nlda #3")
        self.check_error(1, "line 3: instruction 1 (jeq #0x1): the true way goes to instruction 9, but the program has 3", "compile", "--from=-",
                         stdin=b"3\n40 0 0 12\n21 7 0 1\n6 0 0 0\n")
        self.check_error(1, "line 2: jt of instruction 0 is not a number from 0 to 255", "compile", "--from=-", stdin=b"1\n6 256 0 0\n")
        loop = subprocess.run(["tcpdump", "-O", "-ddd", "-y", "EN10MB", "ip protochain 6"], capture_output=True).stdout
        self.check_error(1, "jumps back, and a filter has no loops", "compile", "--from=-", stdin=loop)
        self.check_error(1, "standard input: there are no instructions", "compile", "--from=-")
        self.check_error(1, "cannot read none", "compile", "--from=none")

    def test_the_machine(self):
        shift = b"ldb [0]\ntax\nld #1\nlsh x\nret a\n"
        process = run("compile", "--from=-", stdin=shift)
        self.assertIn(b"mean something else to the kernel", process.stderr)
        self.assertEqual(process.stdout.decode(), self.check("compile", "--from=-", "--machine=libpcap", stdin=shift))
        self.assertNotEqual(process.stdout.decode(), self.check("compile", "--from=-", "--machine=kernel", stdin=shift))
        self.check_error(1, "mean something else", "compile", "--strict", "--from=-", stdin=shift)
        self.assertEqual(self.check("compile", "--from=-", "--emit=ir", stdin=b"ld #type\nret a").splitlines()[0], "v0 = meta packet_type")
        self.check_error(2, "libpcap or kernel", "compile", "--from=-", "--machine=both", stdin=shift)

    def test_contradictions(self):
        self.check_error(2, "there is an expression, too", "compile", "--from=-", "ip")
        self.check_error(2, "there is an expression, too", "compile", "--from=-", "-F", "-")
        self.check_error(2, "--machine is for --from", "compile", "--machine=kernel", "ip")
        self.check_error(2, "-y is for expressions", "compile", "--from=-", "-y", "RAW")

    def test_hostile_texts(self):
        for text in (b"\0", b"\xff\xfe", b"/*", b"/* ", b"[" * 100000, b"#", b"# define", b"#define", b"a:" * 100000, b"4000000000", b"9" * 100000):
            process = run("compile", "--from=-", stdin=text)
            self.assertEqual((process.returncode, process.stdout), (1, b""), text[:10])
            self.assertLess(len(process.stderr), 1000)


class Options(ProgramTest):
    def test_link_type(self):
        ip = self.check("compile", "-y", "RAW", "ip")
        for name in ("raw", "DLT_RAW", "dlt_raw"):
            self.assertEqual(self.check("compile", "-y", name, "ip"), ip)
        self.assertEqual(self.check("compile", "--linktype=RAW", "ip"), ip)
        self.assertNotEqual(self.check("compile", "ip"), ip)

    def test_unknown_link_type_is_answered_with_near_ones(self):
        for word, near in (("EN10", "EN10MB"), ("ethernet", "EN10MB"), ("80211", "IEEE802_11_RADIO"),
                           ("cooked", "LINUX_SLL"), ("LINUXSLL2", "LINUX_SLL2"), ("rawip", "RAW")):
            self.assertIn(near, self.check_error(2, "is no link type", "compile", "-y", word, "ip").split("(")[0])
        self.check_error(2, "is no link type (", "compile", "-y", "xyzzy", "ip")

    def test_link_type_without_filters(self):
        self.check_error(2, "USB_LINUX", "compile", "-y", "USB_LINUX", "ip")

    def test_snaplen(self):
        last = lambda *options: self.check("compile", *options, "").split()[-1]
        self.assertEqual(last(), "#262144")
        self.assertEqual(last("-s", "0"), "#262144")
        self.assertEqual(last("-s96"), "#96")
        self.assertEqual(last("-s", "0x60"), "#96")
        self.assertEqual(last("--snapshot-length=65535"), "#65535")
        for wrong in ("262145", "-1", "many", "", "1e3", "99999999999999999999"):
            self.check_error(2, "-s takes", "compile", "-s", wrong, "ip")

    def test_netmask(self):
        self.check_error(2, "netmask", "compile", "ip broadcast")
        dotted = self.check("compile", "-m", "255.255.255.0", "ip broadcast")
        self.assertIn("#0xff", dotted)
        for same in ("0xffffff00", "24", "/24"):
            self.assertEqual(self.check("compile", "-m", same, "ip broadcast"), dotted)
        self.assertEqual(self.check("compile", "-m", "/0", "ip broadcast"), self.check("compile", "-m", "0.0.0.0", "ip broadcast"))
        for wrong in ("255.255.255", "33", "0x1ffffffff", "mask"):
            self.check_error(2, "-m takes a netmask", "compile", "-m", wrong, "ip")

    def test_optimizer(self):
        text = "ip and ip and tcp port 80"
        plain = self.check("compile", "-O", text)
        self.assertGreater(len(plain), len(self.check("compile", text)))
        self.assertEqual(self.check("compile", "--no-optimize", text), plain)

    def test_linux_extensions_and_byte_order(self):
        self.assertNotEqual(self.check("compile", "--linux-ext", "vlan"), self.check("compile", "vlan"))
        native = self.check("compile", "-O", "-y", "NULL", "--savefile=native", "ip")
        self.assertNotEqual(self.check("compile", "-O", "-y", "NULL", "--savefile=swapped", "ip"), native)
        self.check_error(2, "native or swapped", "compile", "--savefile=little", "ip")

    def test_contradictions(self):
        self.check_error(2, "-d and --emit", "compile", "-d", "--emit=ir", "ip")
        self.check_error(2, "not from both", "compile", "-F", "file", "ip")
        self.check_error(2, "-o may be there only once", "compile", "-o", "a", "-o", "b", "ip")
        self.check_error(2, "compile has no option --nonsense\n", "compile", "--nonsense", "ip")

    def test_values_of_options(self):
        self.check_error(2, "no value behind --emit=", "compile", "--emit=", "ip")
        self.check_error(2, "no value behind --maps=", "compile", "--emit=ebpf", "--maps=", "ip")
        self.check_error(2, "--linktype must be followed by a value: LINKTYPE", "compile", "-y")
        self.check_error(2, "-F must be followed by a value: FILE", "filter", "-r", "x", "-F")
        self.check_error(2, "--strict takes no value", "compile", "--strict=no", "ip")
        for option in ("-d=2", "-d2", "-dd3"):
            self.check_error(2, f"{option}: the letter takes no number; -dd prints a C array", "compile", option, "ip")
        self.check_error(2, "takes no value: leave out =2", "compile", "-O=2", "ip")
        self.check_error(2, "filter has no option -d\n  hint: weir compile -d prints", "filter", "-r", "x", "-d2")
        self.check_error(2, "--count takes no value", "filter", "-r", "x", "--count=3", "ip")
        self.check_error(2, "no option --linktyp; did you mean --linktype?", "compile", "--linktyp=RAW", "ip")


class Text(ProgramTest):
    def test_hints_say_what_the_command_can_do(self):
        self.assertIn("it is a subtype: 'subtype beacon'", self.check_error(2, "", "compile", "-y", "IEEE802_11", "wlan type beacon"))
        self.assertIn("--hook=tc-ingress", self.check_error(2, "not a live capture", "compile", "inbound"))
        source = PACKETS / "ethernet.pcap"
        self.assertIn("weir capture asks the kernel", self.check_error(2, "not a live capture", "filter", "-r", str(source), "inbound"))

    def test_words_are_joined(self):
        expected = self.check("compile", "tcp port 80 and not host 10.0.0.1")
        self.assertEqual(self.check("compile", *"tcp port 80 and not host 10.0.0.1".split()), expected)
        self.assertEqual(self.check("compile", "tcp port 80", "-d", "and not", "host 10.0.0.1"), expected)
        self.assertEqual(self.check("compile", "--", *"tcp port 80 and not host 10.0.0.1".split()), expected)

    def test_words_that_a_command_line_library_might_take_apart(self):
        self.assertEqual(self.check("compile", "ip", "[0]", "=", "69"), self.check("compile", "ip[0] = 69"))
        self.assertEqual(self.check("compile", "len", "-", "1", "=", "5"), self.check("compile", "len - 1 = 5"))
        negative = self.check("compile", "-F", "-", stdin=b"-1 + len = 5")
        self.assertEqual(self.check("compile", "--", "-1", "+", "len", "=", "5"), negative)
        self.check_error(2, "'filter'", "compile", "port", "filter")
        self.check_error(2, "[1,2]", "compile", "ip", "[1,2]", "=", "1")
        self.check_error(2, "++", "compile", "tcp", "++")

    def test_from_a_file(self):
        expected = self.check("compile", "tcp port 80 and not host 10.0.0.1")
        text = "# web traffic\ntcp port 80\n\n  and not host 10.0.0.1  # but ours\n"
        pathlib.Path("web.filter").write_text(text)
        self.assertEqual(self.check("compile", "-F", "web.filter"), expected)
        self.assertEqual(self.check("compile", "-Fweb.filter"), expected)
        self.assertEqual(self.check("compile", "-F", "-", stdin=text.encode()), expected)
        pathlib.Path("[a,b]").write_text("ip")
        self.assertEqual(self.check("compile", "-F", "[a,b]"), self.check("compile", "ip"))
        pathlib.Path("empty").write_text("")
        self.assertEqual(self.check("compile", "-F", "empty"), self.check("compile"))

    def test_files_that_cannot_be_read(self):
        self.check_error(1, "cannot read none: No such file or directory", "compile", "-F", "none")
        self.check_error(1, "Is a directory", "compile", "-F", ".")
        self.check_error(1, "/dev/zero has more than 64 MiB", "compile", "-F", "/dev/zero")
        pathlib.Path("list.txt").write_text("host 10.0.0.1\nor host 10.0.0.2\nor hots 10.0.0.3\n")
        self.check_error(2, "weir: error: list.txt: line 3: syntax error", "compile", "-F", "list.txt")
        self.check_error(2, "weir: error: list.txt: line 3: ", "filter", "-r", PACKETS / "ethernet.pcap", "-F", "list.txt")
        self.check_error(2, "weir: error: standard input: line 1: ", "compile", "-F", "-", stdin=b"port\n")

    def test_errors_point_at_the_words(self):
        message = self.check_error(2, "weir: error: ", "compile", "tcp port 80 xor udp")
        shown, caret = message.splitlines()[1:3]
        self.assertEqual(shown.strip(), "tcp port 80 xor udp")
        self.assertEqual(caret.index("^"), shown.index("xor"))

    def test_errors_in_files_say_the_line(self):
        message = self.check_error(2, "line 2", "compile", "-F", "-", stdin=b"tcp port 80\nand hots 10.0.0.1\nor udp\n")
        self.assertNotIn("udp", message)

    def test_hostile_texts(self):
        for text in (b"\0", b"tcp\0port 80", b"\xff\xfe", b"(" * 200000, b"not " * 200000, b"[" * 5000, b"'\"$\\"):
            process = run("compile", "-F", "-", stdin=text)
            self.assertEqual((process.returncode, process.stdout), (2, b""), text[:10])
            self.assertLess(len(process.stderr), 1000)

    def test_a_filter_that_does_not_fit(self):
        hosts = " or ".join(f"host 10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(0, 40000, 2))
        self.check_error(2, "4096", "compile", "-F", "-", stdin=hosts.encode())


class Output(ProgramTest):
    def test_to_a_file(self):
        self.assertEqual(self.check("compile", "-o", "out", "tcp"), "")
        self.assertEqual(pathlib.Path("out").read_text(), self.check("compile", "tcp"))
        self.assertEqual(self.files(), ["out"])
        self.assertEqual(self.check("compile", "-o", "-", "tcp"), self.check("compile", "tcp"))
        self.assertEqual(self.check("compile", "-o", "/dev/stdout", "tcp"), self.check("compile", "tcp"))

    def test_an_error_leaves_the_old_file(self):
        pathlib.Path("out").write_text("old")
        self.check_error(2, "", "compile", "-o", "out", "tcp port")
        self.assertEqual(pathlib.Path("out").read_text(), "old")
        self.assertEqual(self.files(), ["out"])

    def test_what_cannot_be_written(self):
        self.check_error(1, "No space left on device", "compile", "-o", "/dev/full", "tcp")
        self.check_error(1, "No such file or directory", "compile", "-o", "none/out", "tcp")
        self.check_error(1, "Is a directory", "compile", "-o", ".", "tcp")
        with open("/dev/full", "wb") as full:
            process = subprocess.run([WEIR, "compile", "tcp"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"cannot write standard output", process.stderr)

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        hosts = " or ".join(f"host 10.0.{n >> 8}.{n & 255}" for n in range(2000))
        for dump in ("ast", "pred", "ir"):
            reader, writer = os.pipe()
            os.close(reader)
            process = subprocess.run([WEIR, "compile", f"--emit={dump}", hosts], stdout=writer, stderr=subprocess.PIPE)
            os.close(writer)
            self.assertEqual(process.stderr, b"")


class Help(ProgramTest):
    def test_version(self):
        self.assertRegex(self.check("--version"), r"^weir \d+\.\d+\.\d+\n$")

    def test_help_names_every_option(self):
        self.assertIn("compile", self.check("--help"))
        for option in ("-d", "-dd", "-ddd", "--emit", "-y", "-s", "-m", "-O", "-F", "--linux-ext", "--savefile", "-o"):
            self.assertIn(option, self.check("compile", "--help"))
        for option in ("-r", "-w", "--count", "-c", "-F", "-y", "-m", "-O"):
            self.assertIn(option, self.check("filter", "--help"))
        self.assertIn("linktypes", self.check("list", "--help"))
        self.assertEqual(self.check("compile", "-h"), self.check("compile", "--help"))

    def test_wrong_use(self):
        self.check_error(2, "a command is missing: one of compile, filter, capture, attach, prove, run, list")
        self.check_error(2, "'comple' is no command", "comple", "tcp")
        self.check_error(2, "--nonsense", "--nonsense")
        self.check_error(2, "-r is required", "filter", "tcp")
        self.check_error(2, "cannot be listed", "list", "things")
        self.check_error(2, "say what to list: linktypes, interfaces or keywords", "list")
        pathlib.Path("in.pcap").write_bytes(b"")
        self.check_error(2, "-r is required: the savefile to read, as in -r in.pcap", "filter", "in.pcap", "tcp")
        self.check_error(2, "-i is required", "attach", "tcp")

    def test_a_command_that_was_left_out(self):
        for arguments, meant in ((["tcp", "port", "80"], "weir compile tcp port 80?"),
                                 (["-d", "tcp or udp"], "weir compile -d 'tcp or udp'?"),
                                 (["-r", "in.pcap", "-w", "out.pcap", "tcp"], "weir filter -r in.pcap -w out.pcap tcp?"),
                                 (["-nrin.pcap", "tcp"], "weir filter -nrin.pcap tcp?"),
                                 (["-i", "eth0", "not (tcp)"], "weir capture -i eth0 'not (tcp)'?"),
                                 (["it's"], "weir compile 'it'\\''s'?")):
            self.assertTrue(self.check_error(2, "command", *arguments).endswith(f"did you mean {meant}\n"), arguments)
        self.check_error(2, "'comple' is no command; did you mean compile?", "comple", "tcp")
        self.check_error(2, "'cap' is no command; did you mean capture?", "cap", "tcp")

    def test_link_types_by_number(self):
        self.check_error(2, "-y takes a name: EN10MB for DLT 1\n", "compile", "-y", "1", "ip")
        self.check_error(2, "-y takes a name: EN10MB for DLT 1\n", "filter", "-r", "x", "-y", "1", "ip")
        self.check_error(2, "'9999' is no link type", "compile", "-y", "9999", "ip")

    def test_link_types(self):
        lines = self.check("list", "linktypes").splitlines()
        self.assertTrue(any(line.split()[:3] == ["EN10MB", "1", "Ethernet"] and line.endswith(" vlan mpls llc") for line in lines))
        self.assertTrue(any(line.split()[:2] == ["USB_LINUX", "189"] for line in lines))

    def test_keywords(self):
        """Each is one to the compiler, too: a name of that spelling needs a backslash."""
        words = self.check("list", "keywords").split()
        self.assertEqual(words, sorted(set(words)))
        for word in ("tcp", "portrange", "and", "tcpflags", "icmp6-echo", "hsls"):
            self.assertIn(word, words)
        self.check_error(2, "a keyword", "compile", "host tcp")


if __name__ == "__main__":
    unittest.main()
