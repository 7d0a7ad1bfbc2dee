"""A small network to capture on: a namespace with a pair of veth interfaces, `near` and `far`, and what captures there."""
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

WEIR = os.environ["WEIR"]
SOURCE = pathlib.Path(os.environ["WEIR_SOURCE"])
PATIENCE = 240  # seconds: a filter that looks at thousands of ports is slow with sanitizers on a busy machine
SKIPPED = 77  # SKIP_RETURN_CODE of ctest
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET, SO_TIMESTAMPNS = 0x40000000, 35


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def main():
    """The tests, where they can run."""
    trouble = why_not()
    if not trouble:
        unittest.main()
    print(f"SKIPPED: capturing from the kernel: {trouble}")
    sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)


def why_not():
    for tool in ("ip", "tcpdump"):
        if not shutil.which(tool):
            return f"there is no {tool}"
    try:
        Network().close()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespaces: {getattr(error, 'stderr', None) or error}"
    return None


class Network:
    count = 0

    def __init__(self, mtu=9000):
        Network.count += 1
        self.name = f"weir-{os.getpid()}-{Network.count}"
        ip("netns", "add", self.name)
        try:
            # The kernel says nothing by itself without IPv6 and without addresses.
            self.set("net/ipv6/conf/all/disable_ipv6", 1)
            self.set("net/ipv6/conf/default/disable_ipv6", 1)
            self.ip("link", "add", "near", "mtu", str(mtu), "type", "veth", "peer", "name", "far", "mtu", str(mtu))
            for interface in ("lo", "near", "far"):
                self.ip("link", "set", interface, "up")
            self.wait_until_up("near", "far")
        except subprocess.CalledProcessError:
            self.close()
            raise

    def wait_until_up(self, *names):
        """The kernel notices a little later that they can send: packets before that are lost."""
        for name in names:
            deadline = time.monotonic() + 10
            while "state UP" not in self.run("ip", "-o", "link", "show", name).stdout and time.monotonic() < deadline:
                time.sleep(0.01)

    def close(self):
        ip("netns", "delete", self.name)

    def ip(self, *arguments):
        ip("-n", self.name, *arguments)

    def set(self, name, value):
        """A sysctl; one that this kernel has not, or not in a namespace, stays."""
        self.run("sh", "-c", f"echo {value} >/proc/sys/{name}")

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def run(self, *words, **more):
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=PATIENCE, **more)

    @contextlib.contextmanager
    def entered(self):
        """What this thread opens meanwhile belongs to the namespace."""
        with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{self.name}") as there:
            if LIBC.setns(there.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                LIBC.setns(here.fileno(), CLONE_NEWNET)

    def socket(self, *arguments):
        with self.entered():
            return socket.socket(*arguments)

    def sender(self, interface):
        """Sends whole frames out of the interface."""
        out = self.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        out.bind((interface, 0))
        return out

    def same_stamps(self):
        """While this socket is there, the kernel stamps each packet once for all who capture it."""
        stamper = self.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stamper.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        return stamper


class Capture:
    """A program that captures, already listening. Its further lines on standard error come into `messages`."""

    def __init__(self, network, *words, stdout=subprocess.DEVNULL):
        environment = {**os.environ, "TZ": "UTC0", "LC_ALL": "C"}
        self.process = subprocess.Popen(network.command(*words), stdout=stdout, stderr=subprocess.PIPE, text=True,
                                        env=environment)
        self.messages = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        try:
            self.wait_for("listening on ")
        except AssertionError:
            self.kill()
            raise

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.messages.append(line)
                self.changed.notify()
        with self.changed:
            self.messages.append(None)
            self.changed.notify()

    def wait_for(self, text, number=1):
        """Until the text has stood in that many lines; the last of these."""
        def found():
            lines = [line for line in self.messages if line and text in line]
            return lines[number - 1] if len(lines) >= number else None
        with self.changed:
            self.changed.wait_for(lambda: found() or None in self.messages, timeout=PATIENCE)
            if not found():
                raise AssertionError(f"{self.process.args}: no '{text}' in {self.text()}")
            return found()

    def text(self):
        return "".join(filter(None, self.messages))

    def end(self, number=signal.SIGINT):
        """Exit status, and all of standard error."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        """As end(), of one that ends by itself."""
        status = self.process.wait(timeout=PATIENCE)
        self.reader.join(timeout=PATIENCE)
        self.process.stderr.close()
        if self.process.stdout:
            self.process.stdout.close()
        return status, self.text()

    def kill(self):
        self.process.kill()
        self.wait()


class NetworkTest(unittest.TestCase):
    """In an empty folder, with a network of its own."""
    maxDiff = None

    def setUp(self):
        before = os.getcwd()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chdir(folder.name)
        self.addCleanup(os.chdir, before)
        self.network = Network()
        self.addCleanup(self.network.close)

    def capture(self, *words, **more):
        capture = Capture(self.network, *words, **more)
        self.addCleanup(capture.kill)
        return capture

    def weir(self, *words, **more):
        return self.capture(WEIR, "capture", *words, **more)

    @contextlib.contextmanager
    def capturing(self, *words):
        """On `far`, until the block ends; then with Ctrl-C, which has to be its good end."""
        capture = self.weir("-i", "far", *words)
        yield capture
        self.assertEqual(capture.end()[0], 0, capture.text())

    @contextlib.contextmanager
    def flood(self, interface, frame):
        """Sends the frame as often as it can, meanwhile."""
        sender, ended = self.sender(interface), threading.Event()
        def send():
            while not ended.is_set():
                with contextlib.suppress(OSError):  # the interface is down, or gone
                    for _ in range(100):
                        sender.send(frame)
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def sender(self, interface):
        sender = self.network.sender(interface)
        self.addCleanup(sender.close)
        return sender


def read_pcap(path):
    """Header, and records as (seconds, microseconds, captured bytes, length), of a file in the order of this host."""
    data = pathlib.Path(path).read_bytes()
    at, records = 24, []
    while at < len(data):
        seconds, fraction, size, length = struct.unpack_from("=IIII", data, at)
        at += 16
        if len(data) - at < size:
            raise ValueError(f"{path} ends in a packet")
        records.append((seconds, fraction, data[at:at + size], length))
        at += size
    return data[:24], records
