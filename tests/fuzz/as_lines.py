#!/usr/bin/env python3
"""Inputs that a fuzzer kept, as lines for `weir_oracle --lines`, which asks libpcap about them.

as_lines.py SOURCE parse|compile FOLDER >LINES   what the bytes mean is said in input.hpp
"""
import pathlib
import struct
import sys

from material import layout_numbers


def setting(rest, supported):
    """The words for the bytes behind the filter; a DLT that is none stands for one, as in input.hpp."""
    number, flags, netmask, _ = struct.unpack(">HBII", rest[:11].ljust(11, b"\0"))
    numbers = sorted(supported)
    words = supported.get(number) or supported[numbers[number % len(numbers)]]
    if flags & 1:
        return words + " live"
    if flags & 2:
        return words + " savefile"
    return words + " netmask " + ".".join(map(str, netmask.to_bytes(4, "big"))) if flags & 8 else words


def lines(source, target, folder):
    supported = {number: name for name, number in layout_numbers(source).items()}
    for path in sorted(folder.iterdir()):
        text, zero, rest = path.read_bytes().partition(b"\0")
        if text.strip() and text.isascii() and text.decode().isprintable():
            yield (setting(rest, supported) if zero and target == "compile" else "EN10MB") + "\t" + text.decode()


if __name__ == "__main__":
    print("\n".join(sorted(set(lines(pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]))))))
