"""weir compile --cooked: what a socket without link-layer headers lets through is what the filter keeps of the cooked packets."""
import ctypes
import pathlib
import socket
import struct
import subprocess

import network

SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
ETH_P_ALL = 3
FILTERS = ("", "ip", "not ip", "ip6", "arp", "tcp", "udp port 9", "src host 10.0.0.1", "inbound", "outbound", "icmp or arp", "ip[8] = 64 and not tcp",
           "ether proto 0x88cc", "link[20] & 0xf0 = 0x40", "less 80", "geneve", "ip protochain 17", "ip broadcast", "ip6 host 2001:db8::1")


def frames():
    """Those of Ethernet captures whose destination does not matter."""
    for name in ("ethernet.pcap", "ipv4.pcap", "ipv6.pcap", "tunnels.pcap"):
        data = (network.SOURCE / "corpus" / "packets" / name).read_bytes()
        at = 24
        while at < len(data):
            size, length = struct.unpack_from("<II", data, at + 8)
            if size == length and 60 <= size < 1500:
                yield data[at + 16:at + 16 + size]
            at += 16 + size


def attach(sock, decimal):
    count, *lines = decimal.split("\n")
    code = b"".join(struct.pack("HBBI", *map(int, line.split())) for line in lines if line)
    buffer = ctypes.create_string_buffer(code)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", int(count), ctypes.addressof(buffer)))


def cooked(packet, address):
    """The packet behind the header of LINUX_SLL2 that libpcap would make."""
    interface, protocol, kind, hardware, mac = address
    return struct.pack(">HHIHBB8s", protocol, 0, interface, hardware, kind, len(mac), mac.ljust(8, b"\0")) + packet


def savefile(packets):
    head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 276)
    return head + b"".join(struct.pack("<IIII", i, 0, len(p), len(p)) + p for i, p in enumerate(packets))


class Cooked(network.NetworkTest):
    def listen(self, program=None):
        sock = self.network.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        self.addCleanup(sock.close)
        if program:
            attach(sock, program)
        with self.network.entered():
            sock.bind(("near", ETH_P_ALL))
        sock.setblocking(False)
        return sock

    def received(self, sock):
        packets = []
        while True:
            try:
                data, (name, protocol, kind, hardware, mac) = sock.recvfrom(65536)
            except BlockingIOError:
                return packets
            with self.network.entered():
                index = socket.if_nametoindex(name)
            packets.append(cooked(data, (index, protocol, kind, hardware, mac)))

    def test_the_kernel_keeps_what_the_filter_keeps_of_cooked_packets(self):
        options = ("-m", "255.255.255.0")
        sockets = {}
        for text in FILTERS:
            program = subprocess.run([network.WEIR, "compile", "-ddd", "--cooked", "-y", "LINUX_SLL2", *options, "--", text], capture_output=True, text=True)
            self.assertEqual((program.returncode, program.stderr), (0, ""), text)
            sockets[text] = self.listen(program.stdout)
        everything = self.listen()
        inward, outward = self.network.sender("far"), self.network.sender("near")
        for number, frame in enumerate(frames()):
            (outward if number % 3 == 0 else inward).send(frame)
        inward.close()
        outward.close()
        all_packets = self.received(everything)
        self.assertGreater(len(all_packets), 100)
        pathlib.Path("all.pcap").write_bytes(savefile(all_packets))
        for text, sock in sockets.items():
            with self.subTest(filter=text):
                pathlib.Path("kept.pcap").unlink(missing_ok=True)
                process = subprocess.run([network.WEIR, "filter", "-r", "all.pcap", "-w", "kept.pcap", *options, "--", text], capture_output=True, text=True)
                self.assertEqual(process.returncode, 0, process.stderr)
                self.assertEqual(savefile_packets(pathlib.Path("kept.pcap").read_bytes()), self.received(sock))


def savefile_packets(data):
    packets, at = [], 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        packets.append(data[at + 16:at + 16 + size])
        at += 16 + size
    return packets


if __name__ == "__main__":
    network.main()
