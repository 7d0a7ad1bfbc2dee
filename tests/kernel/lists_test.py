#!/usr/bin/env python3
"""A thousand hosts, in both directions, as one classic BPF program on a real socket: what passes are the members, and not
their neighbours. Needs no rights: a pair of datagram sockets, as tests/oracle/kernel.hpp has them."""
import ctypes
import errno
import ipaddress
import os
import random
import socket
import struct
import subprocess
import sys
import unittest

WEIR = os.environ["WEIR"]
SKIPPED = 77  # SKIP_RETURN_CODE of ctest
SO_ATTACH_FILTER = 26
HOSTS, MOST_INSTRUCTIONS = 1000, 2700
MOST_ADDRESS = 0xffffffff


def random_hosts(seed):
    chance = random.Random(seed)
    return {chance.randrange(MOST_ADDRESS + 1) for _ in range(HOSTS)}


def compiled(hosts):
    """The instructions, as lists of four numbers."""
    text = "\nor ".join(f"host {ipaddress.IPv4Address(host)}" for host in hosts)
    output = subprocess.run([WEIR, "compile", "-ddd", "-F", "-"], input=text, capture_output=True, text=True, check=True).stdout
    return [list(map(int, line.split())) for line in output.splitlines()[1:]]


class FilteredSocket:
    """What is sent here, and whether it passes a program in the kernel."""

    def __init__(self, program):
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.far.setblocking(False)
        code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
        self.far.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(code)))

    def passes(self, packet):
        self.near.send(packet)
        try:
            self.far.recv(1)
        except BlockingIOError:
            return False
        return True

    def close(self):
        self.near.close()
        self.far.close()


def frame(ethertype, header, sender, between, receiver):
    pack = lambda address: struct.pack(">I", address)
    return (bytes(12) + struct.pack(">H", ethertype) + header + pack(sender) + between + pack(receiver)).ljust(60, b"\0")


def ip(sender, receiver):
    return frame(0x0800, bytes([0x45, 0, 0, 20]) + bytes(8), sender, b"", receiver)


def arp(sender, receiver):
    return frame(0x0806, struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + bytes(6), sender, bytes(6), receiver)


class Lists(unittest.TestCase):
    def setUp(self):
        self.hosts = random_hosts(seed=1)
        self.program = compiled(sorted(self.hosts, key=lambda host: host * 2654435761 % 2**32))  # in no order
        self.stranger = next(a for a in range(0x0a000000, 0x0b000000) if a not in self.hosts)
        self.socket = FilteredSocket(self.program)
        self.addCleanup(self.socket.close)

    def around(self):
        for host in self.hosts:
            yield from (a for a in (host - 1, host, host + 1) if 0 <= a <= MOST_ADDRESS)

    def check(self, make):
        """Every member and neighbour passes exactly when it is a member."""
        wrong = [a for a in self.around() if self.socket.passes(make(a)) != (a in self.hosts)]
        self.assertEqual([str(ipaddress.IPv4Address(a)) for a in wrong], [])

    def test_length(self):
        self.assertLessEqual(len(self.program), MOST_INSTRUCTIONS)

    def test_ip_source(self):
        self.check(lambda address: ip(address, self.stranger))

    def test_ip_destination(self):
        self.check(lambda address: ip(self.stranger, address))

    def test_arp(self):
        self.check(lambda address: arp(address, self.stranger))
        self.check(lambda address: arp(self.stranger, address))

    def test_other_protocols_do_not_pass(self):
        for host in self.hosts:
            self.assertFalse(self.socket.passes(frame(0x88cc, bytes(12), host, b"", host)))


def main():
    """The tests, unless the kernel grants too little memory for a program of this length."""
    try:
        FilteredSocket(MOST_INSTRUCTIONS * [[6, 0, 0, 0]]).close()
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        print("SKIPPED: long programs in the kernel: net.core.optmem_max is too small")
        sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)
    unittest.main()


if __name__ == "__main__":
    main()
