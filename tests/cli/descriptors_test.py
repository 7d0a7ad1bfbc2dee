"""Standard descriptors that are closed, full, or have nobody at their other end."""
import os
import pathlib
import subprocess
import unittest

from program import PACKETS, WEIR, ProgramTest

def run_shell(line, *arguments, **more):
    return subprocess.run(["sh", "-c", line, "sh", WEIR, *map(str, arguments)], capture_output=True, timeout=60, **more)


class Closed(ProgramTest):
    def test_no_file_takes_the_place_of_one(self):
        """Each is opened while one of the three is closed; it must hold what was asked for and nothing else."""
        expected = subprocess.run([WEIR, "filter", "-r", PACKETS / "ethernet.pcap", "-w", "-"], capture_output=True).stdout
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed=closed):
                process = run_shell(f'"$1" filter -r "$2" -w out.pcap {closed}', PACKETS / "ethernet.pcap")
                self.assertEqual((process.returncode, process.stdout, process.stderr), (0, b"", b""))
                self.assertEqual(pathlib.Path("out.pcap").read_bytes(), expected)

    def test_a_message_goes_into_no_file(self):
        data = (PACKETS / "ethernet.pcap").read_bytes()
        pathlib.Path("cut.pcap").write_bytes(data[:-1])
        process = run_shell('"$1" filter -r cut.pcap -w out.pcap 2>&-')
        self.assertEqual((process.returncode, process.stdout), (1, b""))
        self.assertTrue(data.startswith(pathlib.Path("out.pcap").read_bytes()))

    def test_a_count_goes_into_no_file(self):
        process = run_shell('"$1" filter -r "$2" -w out.pcap --count >&-', PACKETS / "ethernet.pcap")
        self.assertEqual((process.returncode, process.stdout), (1, b""))
        self.check("filter", "-r", "out.pcap", "-w", "again.pcap")
        self.assertEqual(pathlib.Path("out.pcap").read_bytes(), pathlib.Path("again.pcap").read_bytes())

    def test_closed_output_and_input_are_errors(self):
        for line in ('"$1" compile tcp >&-', '"$1" filter -r "$2" >&-', '"$1" filter -r "$2" -w - >&-',
                     '"$1" list linktypes >&-', '"$1" filter -r - <&-', '"$1" compile -F - <&-'):
            with self.subTest(line=line):
                process = run_shell(line, PACKETS / "ethernet.pcap")
                self.assertEqual((process.returncode, process.stdout), (1, b""))
                self.assertIn(b"Bad file descriptor", process.stderr)


class Unwritable(ProgramTest):
    """A message that nobody can have stops nothing."""

    def test_full(self):
        self.assertEqual(run_shell('"$1" compile "tcp prot 8" 2>/dev/full').returncode, 2)
        self.assertEqual(run_shell('"$1" filter -r "$2" -w out.pcap "tcp and udp" 2>/dev/full',
                                   PACKETS / "ethernet.pcap").returncode, 0)
        self.assertEqual(self.files(), ["out.pcap"])

    def test_a_reader_of_messages_that_is_gone(self):
        """With a warning about an expression that cannot match."""
        reading, writing = os.pipe()
        os.close(reading)
        process = subprocess.run([WEIR, "filter", "-r", PACKETS / "ethernet.pcap", "-w", "out.pcap", "tcp and udp"],
                                 stdout=subprocess.DEVNULL, stderr=writing, timeout=60)
        os.close(writing)
        self.assertEqual((process.returncode, self.files()), (0, ["out.pcap"]))

    def test_a_reader_of_packets_that_is_gone(self):
        """That ends it, quietly."""
        reading, writing = os.pipe()
        os.close(reading)
        process = subprocess.run([WEIR, "filter", "-r", PACKETS / "ethernet.pcap", "-w", "-"], stdout=writing,
                                 stderr=subprocess.PIPE, timeout=60)
        os.close(writing)
        self.assertEqual((process.returncode, process.stderr), (-13, b""))


class Terminal(ProgramTest):
    """What a name may do to a terminal: nothing."""

    def test_names_in_messages(self):
        for arguments in (("filter", "-r", "\x1b[31mx"), ("filter", "-r", "x\u009b31m"), ("compile", "-F", "\x1b]0;x\x07"),
                          ("compile", "-o", "none/\x1b[31mx", "tcp"), ("\x1b[31mx",), ("-r", "\x1b[31mx"),
                          ("compile", "-y", "\x1b[31m"), ("capture", "-i", "\x1b[31m"), ("list", "\x1b[31m"),
                          ("compile", "--emit=\x1b[31m"), ("compile", "--\x1b[31m"), ("compile", "host", "\x1b[31m"),
                          ("filter", "-c", "\x1b[31m", "-r", "x")):
            with self.subTest(arguments=arguments):
                process = subprocess.run([WEIR, *arguments], capture_output=True, timeout=60)
                self.assertNotEqual(process.returncode, 0)
                text = process.stderr.decode()
                self.assertIn("?", text)
                self.assertEqual([c for c in text if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], [])

    def test_other_characters_stay(self):
        self.check_error(1, "cannot read \u00e4\u6f22: No such file", "filter", "-r", "\u00e4\u6f22")


if __name__ == "__main__":
    unittest.main()
