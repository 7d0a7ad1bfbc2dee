"""Runs the program under test: the path of `weir` is in WEIR, the source folder in WEIR_SOURCE."""
import os
import pathlib
import subprocess
import tempfile
import unittest

WEIR = os.environ["WEIR"]
PACKETS = pathlib.Path(os.environ["WEIR_SOURCE"]) / "corpus" / "packets"


def run(*arguments, stdin=b"", **more):
    """The finished process; what it wrote as bytes."""
    environment = {**os.environ, "TZ": "UTC0", "LC_ALL": "C"}
    return subprocess.run([WEIR, *map(str, arguments)], input=stdin, capture_output=True, env=environment,
                          timeout=60, **more)


class ProgramTest(unittest.TestCase):
    """In an empty folder, which is gone afterwards."""
    maxDiff = None

    def setUp(self):
        before = os.getcwd()
        self.folder = pathlib.Path(self.enterContextUntilEnd(tempfile.TemporaryDirectory()))
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)

    def enterContextUntilEnd(self, manager):
        self.addCleanup(manager.__exit__, None, None, None)
        return manager.__enter__()

    def files(self):
        return sorted(os.listdir(self.folder))

    def check(self, *arguments, **more):
        """Runs what has to succeed without a word on standard error; gives standard output as text."""
        process = run(*arguments, **more)
        self.assertEqual((process.returncode, process.stderr.decode()), (0, ""), arguments)
        return process.stdout.decode()

    def check_error(self, status, message, *arguments, **more):
        """Runs what has to fail with this status, this text in its message, and nothing on standard output."""
        process = run(*arguments, **more)
        self.assertIn(message, process.stderr.decode(), arguments)
        self.assertTrue(process.stderr.startswith(b"weir: error: "), process.stderr)
        self.assertEqual((process.returncode, process.stdout), (status, b""), arguments)
        return process.stderr.decode()
