"""What weir does otherwise when there is a terminal: a line of progress, lines at once, no packets."""
import os
import pty
import re
import subprocess
import threading
import time
import unittest

from program import PACKETS, ProgramTest, WEIR

DATA = (PACKETS / "ethernet.pcap").read_bytes()
ERASE = "\r\x1b[K"


class Terminal:
    """A terminal, and all that appears on it."""

    def __init__(self):
        self.ours, self.theirs = pty.openpty()
        self.text = ""
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            while part := os.read(self.ours, 65536):
                self.text += part.decode()
        except OSError:
            pass  # nobody has it open any more

    def close(self):
        """Everything is there then, with the line ends of files."""
        os.close(self.theirs)
        self.thread.join(timeout=30)
        os.close(self.ours)
        return self.text.replace("\r\n", "\n")


class Progress(ProgramTest):
    def filter_slowly(self, seconds, *options, **more):
        """Feeds packets for so long; what the terminal on standard error shows."""
        terminal = Terminal()
        more = {"stdout": subprocess.DEVNULL, **{k: terminal.theirs if v is Terminal else v for k, v in more.items()}}
        process = subprocess.Popen([WEIR, "filter", "-r", "-", *options], stdin=subprocess.PIPE, stderr=terminal.theirs, **more)
        process.stdin.write(DATA)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.05)
            process.stdin.write(DATA[24:])
            process.stdin.flush()
        process.stdin.close()
        self.assertEqual(process.wait(timeout=30), 0)
        return terminal.close()

    def test_a_line_that_is_rewritten_and_erased(self):
        shown = self.filter_slowly(2, "-w", "out", "arp")
        parts = shown.split(ERASE)
        self.assertGreater(len(parts), 3)
        self.assertEqual((parts[0], parts[-1]), ("", ""))
        for part in parts[1:-1]:
            self.assertRegex(part, r"^\d+ kB, \d+ packets read, \d+ kept, [\d.]+ k?packets/s$")
            self.assertLess(len(part), 80)
        first, last = (int(re.search(r"(\d+) packets", part)[1]) for part in (parts[1], parts[-2]))
        self.assertLess(first, last)

    def test_count(self):
        self.assertIn(" kept", self.filter_slowly(1.5, "--count"))

    def test_no_line_for_short_work(self):
        self.assertEqual(self.filter_slowly(0.3, "-w", "out"), "")

    def test_no_line_among_lines_of_packets(self):
        self.assertNotIn("\x1b", self.filter_slowly(1.5, "arp", stdout=Terminal))

    def test_no_line_without_a_terminal(self):
        process = subprocess.Popen([WEIR, "filter", "-r", "-", "-w", "out"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(DATA)
        process.stdin.flush()
        time.sleep(1.2)
        errors = process.communicate(DATA[24:])[1]
        self.assertEqual((process.returncode, errors), (0, b""))

    def test_a_file_tells_how_much_is_left(self):
        with open("long.pcap", "wb") as out:
            out.write(DATA[:24] + DATA[24:] * 3000)
        terminal = Terminal()
        reader = subprocess.Popen(["sh", "-c", "sleep 1.5; cat >/dev/null"], stdin=subprocess.PIPE)
        process = subprocess.Popen([WEIR, "filter", "-r", "long.pcap", "-w", "-"], stdout=reader.stdin, stderr=terminal.theirs)
        reader.stdin.close()
        self.assertEqual((process.wait(timeout=60), reader.wait(timeout=60)), (0, 0))
        self.assertRegex(terminal.close(), r"\d% of \d+ MB, \d+ packets read")


class Packets(ProgramTest):
    def test_lines_appear_one_by_one(self):
        terminal = Terminal()
        process = subprocess.Popen([WEIR, "filter", "-r", PACKETS / "ethernet.pcap", "-c", "2"], stdout=terminal.theirs)
        self.assertEqual(process.wait(timeout=30), 0)
        self.assertEqual(len(terminal.close().splitlines()), 2)

    def test_no_savefile_on_a_terminal(self):
        terminal = Terminal()
        for output in ("-", "/dev/stdout", os.ttyname(terminal.theirs)):
            process = subprocess.run([WEIR, "filter", "-r", PACKETS / "ethernet.pcap", "-w", output],
                                     stdout=terminal.theirs, stderr=subprocess.PIPE)
            self.assertEqual(process.returncode, 1)
            self.assertIn(b"packets are not written to a terminal\n  hint: ", process.stderr)
        self.assertEqual(terminal.close(), "")

    def test_no_packet_of_a_proof_and_no_object_on_a_terminal(self):
        terminal = Terminal()
        for refused, arguments in ("packets are", ("prove", "-w", "-", "ip", "arp")), ("objects are", ("compile", "--emit=ebpf-object", "tcp")):
            process = subprocess.run([WEIR, *arguments], stdout=terminal.theirs, stderr=subprocess.PIPE)
            self.assertEqual(process.returncode, 1)
            self.assertIn(f"{refused} not written to a terminal\n  hint: ".encode(), process.stderr)
        self.assertEqual(terminal.close(), "")


if __name__ == "__main__":
    unittest.main()
