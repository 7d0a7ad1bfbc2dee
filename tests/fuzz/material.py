#!/usr/bin/env python3
"""Makes what the fuzzers start from: a dictionary of the words of the language, and the filters of the corpus as seeds.

material.py SOURCE OUT   writes OUT/words.dict, OUT/parse/* (filters) and OUT/compile/* (filters with what they are for)
and OUT/run/* (programs of classic BPF, and packets) and OUT/ebpf/* (programs of eBPF, as text and with packets)
"""
import pathlib
import re
import shutil
import struct
import sys
from random import Random

SIGNS = ["!", "&&", "||", "(", ")", "[", "]", ":", "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "=", "==",
         "!=", "$", "\\\\", "#", "::", " and ", " or ", " not "]
SHAPES = ["10.0.0.1", "10.0.0.0/8", "192.168.1.0 mask 255.255.255.0", "2001:db8::1", "2001:db8::/32", "00:11:22:33:44:55",
          "0011.2233.4455", "20-25", "0x45", "010", "4294967295", "2147483648", "65535", "http", "localhost", "private", "both", "here"]
TABLES = ("grammar/keywords.def", "src/ast/protocols.def", "src/wire/wlan.def", "src/wire/llc.def", "src/wire/llc_saps.def", "src/wire/pf.def")


def words(source):
    for table in TABLES:
        for row in re.findall(r"^WEIR_\w+\((.*)\)", (source / table).read_text(), re.M):
            yield from filter(None, re.findall(r'"([^"]*)"', row))


def dictionary(source):
    return "".join(f'"{word}"\n' for word in sorted({*words(source), *SIGNS, *SHAPES}))


def link_types(source):
    """Number and name of each, in order."""
    rows = re.findall(r"^WEIR_LINK_TYPE\( *(\d+), (\w+)", (source / "src/wire/link_types.def").read_text(), re.M)
    return [(int(number), name) for number, name in rows]


def packets(source):
    """By link type as savefiles number them, the packets of the corpus."""
    found = {}
    for path in sorted((source / "corpus" / "packets").glob("*.pcap")):
        data = path.read_bytes()
        order = "<" if data[0] in (0xd4, 0x4d) else ">"
        link_type, at = struct.unpack(order + "I", data[20:24])[0], 24
        while at < len(data):
            size = struct.unpack(order + "4I", data[at:at + 16])[2]
            found.setdefault(link_type, []).append(data[at + 16:at + 16 + size])
            at += 16 + size
    return found


def settings(words_of_setting, numbers):
    """The bytes of input.hpp."""
    name, _, more = words_of_setting.partition(" ")
    flags, netmask = {"live": 1, "savefile": 2}.get(more, 0), 0
    if more.startswith("netmask "):
        flags, netmask = 8, int.from_bytes(bytes(map(int, more.split()[1].split("."))), "big")
    return numbers[name], struct.pack(">HBII", numbers[name], flags, netmask, 0) + bytes(2)


def seeds(source):
    """Name, filter, bytes behind it."""
    numbers, captured = {name: number for number, name in link_types(source)}, packets(source)
    for path in sorted((source / "corpus" / "filters").glob("*.txt")):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        for number, line in enumerate(lines):
            setting, _, text = line.rpartition("\t")
            link_type, options = settings(setting or "EN10MB", numbers)
            these = captured.get(101 if link_type == 12 else link_type, [b""])
            yield f"{path.stem}-{number:03}", text.encode(), b"\0" + options + these[number % len(these)]


def programs():
    """Inputs of run_fuzz: random instructions, most of them with small operands, and a packet."""
    random = Random(1)
    for number in range(300):
        count = random.randint(1, 60)
        code = b"".join(struct.pack(">BBBI", random.randrange(256), random.randrange(8), random.randrange(8),
                                    random.choice((random.randrange(40), random.randrange(1 << 32), 0xfffff000 + 4 * random.randrange(16))))
                        for _ in range(count))
        yield f"random-{number:03}", bytes([number % 10 == 0, count]) + code + bytes(random.randrange(256) for _ in range(random.randrange(70)))


def savefiles(source):
    """Inputs of savefile_fuzz: the captures of the corpus, short; cut off; and with other words in their headers."""
    random = Random(2)
    for path in sorted((source / "corpus" / "packets").glob("*.pcap*")):
        data = path.read_bytes()[:2000]
        yield path.name, bytes([random.choice((0, 40, 255))]) + data
        yield f"{path.name}-cut", bytes([255]) + data[:random.randrange(len(data))]
        for number in range(4):
            at = random.choice((0, 4, 8, 16, 20, 24 + 8, 24 + 12, 4 * random.randrange(len(data) // 4)))
            word = random.choice((0, 1, 20, 0x7fffffff, 0x80000000, 0xffffffff, 262144, 262145, 0xa1b2cd34, 0x00030002))
            yield f"{path.name}-{number}", bytes([random.choice((0, 3, 255))]) + data[:at] + struct.pack("<I", word) + data[at + 4:]


EBPF_TEXTS = (
    "r6 = r1\nr0 = *(u16 *)skb[12]\nif r0 == 0x800 goto pc+2\nr0 = 0\nexit\nr0 = 262144\nexit\n",
    "r1 = map[idx:0]\nr2 = r10\nr2 += -4\n*(u32 *)(r10 -4) = 7\ncall bpf_map_lookup_elem#1\nexit\n",
    "   0: (bf) r6 = r1\n   1: (18) r1 = 0x1234567890 ll\nr1 = atomic64_fetch_add((u64 *)(r10 -8), r1)\nagain: w1 s>>= 3\nif w1 s< -4 goto again ; words\nexit\n",
    "b700000005000000 9500000000000000\n")


def ebpf_programs():
    """Inputs of ebpf_fuzz: texts, and random instructions with a packet; codes and registers are those that programs often have."""
    random = Random(2)
    codes = (0xb7, 0xbf, 0x07, 0x0f, 0x61, 0x69, 0x71, 0x79, 0x62, 0x7a, 0x7b, 0x63, 0x15, 0x55, 0x2d, 0xbd, 0x05, 0x85, 0x95, 0x18, 0x28, 0x48, 0xdc, 0xdb, 0xc7, 0x77)
    for number, text in enumerate(EBPF_TEXTS):
        yield f"text-{number}", b"\1" + text.encode()
    for number in range(300):
        count = random.randint(1, 20)
        code = b""
        for _ in range(count):
            imm = random.choice((random.randrange(8), -random.randrange(17), random.randrange(1 << 31), 26, 1))
            code += struct.pack(">BBhi", random.choice(codes), random.choice((0x00, 0x10, 0xa0, 0x1a, 0x02, 0xa2, 0x20, 0x06, 0x61)), random.choice((0, 1, 2, 4, 12, -4, -8)), imm)
        yield f"random-{number:03}", bytes([2 * random.randrange(7), count + 2]) + code + struct.pack(">BBhi", 0xb7, 0, 0, 0) + struct.pack(">BBhi", 0x95, 0, 0, 0) + bytes(random.randrange(256) for _ in range(random.randrange(70)))


def main(source, out):
    for folder in ("parse", "compile", "run", "savefile", "ebpf"):
        shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir(parents=True)
    (out / "words.dict").write_text(dictionary(source))
    for name, text, rest in seeds(source):
        (out / "parse" / name).write_bytes(text)
        (out / "compile" / name).write_bytes(text + rest)
    for name, data in programs():
        (out / "run" / name).write_bytes(data)
    for name, data in savefiles(source):
        (out / "savefile" / name).write_bytes(data)
    for name, data in ebpf_programs():
        (out / "ebpf" / name).write_bytes(data)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
