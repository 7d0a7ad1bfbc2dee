#!/usr/bin/env python3
"""Inputs that a fuzzer kept, as lines for `weir_oracle --lines`, which asks libpcap about them.

as_lines.py SOURCE parse|compile FOLDER >LINES   what the bytes mean is said in input.hpp
"""
import pathlib
import struct
import sys

from material import link_types


def setting(rest, all_types):
    """The words for the bytes behind the filter; a DLT that is none stands for one, as in input.hpp."""
    number, flags, netmask, _ = struct.unpack(">HBII", rest[:11].ljust(11, b"\0"))
    words = next((name for n, name in all_types if n == number), all_types[number % len(all_types)][1])
    if flags & 1:
        return words + " live"
    if flags & 2:
        return words + " savefile"
    return words + " netmask " + ".".join(map(str, netmask.to_bytes(4, "big"))) if flags & 8 else words


def lines(source, target, folder):
    all_types = link_types(source)
    for path in sorted(folder.iterdir()):
        text, zero, rest = path.read_bytes().partition(b"\0")
        if text.strip() and text.isascii() and text.decode().isprintable():
            yield (setting(rest, all_types) if zero and target == "compile" else "EN10MB") + "\t" + text.decode()


if __name__ == "__main__":
    print("\n".join(sorted(set(lines(pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]))))))
