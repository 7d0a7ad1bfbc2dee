#!/usr/bin/env python3
"""Runs the examples of README.md (```console blocks) and of the man pages (.EX blocks) and compares what they print.

A line that begins with `$ ` is a command; what follows it is its output, in which a line of dots stands for any lines,
and seconds in parentheses for any time.
The commands see the captures of corpus/packets and those that the pages speak of, and `weir` in their PATH. While one
captures, there is something to capture: datagrams from lo to itself, to port 9. Without the right to capture these
examples are left out, with a word about it; where the environment has CI=true that is a failure.
"""
import contextlib
import gzip
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import manual

SOURCE = pathlib.Path(os.environ["WEIR_SOURCE"])
WEIR = pathlib.Path(os.environ["WEIR"])


def examples(block):
    """Pairs of command and expected output."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def readme_blocks():
    return re.findall(r"^```console\n(.*?)^```", (SOURCE / "README.md").read_text(), re.M | re.S)


def as_pattern(output):
    lines = (r"(?:.*\n)*" if line.strip() in ("…", "...") else re.escape(line + "\n") for line in output.splitlines())
    return re.sub(r"\\\(\d+\\\.\d\d\\ s\\\)", lambda _: r"\(\d+\.\d\d s\)", "".join(lines))


def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        return False
    return True


class Talk:
    """Datagrams on lo, as long as the block lasts."""

    def __enter__(self):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not self.over.wait(0.05):
                with contextlib.suppress(ConnectionRefusedError):
                    out.sendto(b"hello", ("127.0.0.1", 9))


class Examples(unittest.TestCase):
    maxDiff = None

    def run_blocks(self, blocks):
        with tempfile.TemporaryDirectory() as folder:
            for capture in (SOURCE / "corpus" / "packets").glob("*.pcap*"):
                shutil.copy(capture, folder)
            capture = pathlib.Path(folder) / "ethernet.pcap"
            for name in ("in.pcap", "capture.pcap"):
                shutil.copy(capture, pathlib.Path(folder) / name)
            (pathlib.Path(folder) / "in.pcap.gz").write_bytes(gzip.compress(capture.read_bytes()))
            self.assertGreater(sum(self.run_block(block, folder) for block in blocks), 0)

    def run_block(self, block, folder):
        """How many examples were run."""
        count = 0
        for command, expected in examples(block):
            live = command.startswith("weir capture")
            if live and not may_capture():
                print(f"SKIPPED: no right to capture: {command}")
                self.assertNotEqual(os.environ.get("CI"), "true", "skipped in CI")
                break  # what follows speaks of what was captured
            with self.subTest(command=command), Talk() if live else contextlib.nullcontext():
                self.run_example(command, expected, folder)
            count += 1
        return count

    def run_example(self, command, expected, folder):
        environment = {**os.environ, "TZ": "UTC0", "LC_ALL": "C", "PATH": f"{WEIR.parent}:{os.environ['PATH']}"}
        process = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, text=True, timeout=60,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertRegex(process.stdout, r"\A" + as_pattern(expected) + r"\Z")

    def test_readme(self):
        self.run_blocks(readme_blocks())

    def test_man_pages(self):
        for page in sorted((SOURCE / "man").iterdir()):
            with self.subTest(page=page.name):
                self.run_blocks(manual.blocks(page))

    def test_options_are_in_the_man_page(self):
        page = (SOURCE / "man" / "weir.1").read_text().replace(r"\-", "-")
        for command in ("compile", "filter", "capture", "prove", "list"):
            text = subprocess.run([WEIR, command, "--help"], capture_output=True, text=True).stdout
            for option in re.findall(r"^ +(-\w)?,?(--[\w-]+)?", text, re.M):
                for name in filter(None, option):
                    self.assertIn(name, page)


if __name__ == "__main__":
    unittest.main()
