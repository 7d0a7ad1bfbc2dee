"""weir capture and weir list interfaces, as far as they go without rights; tests/kernel/ has the rest."""
import os
import unittest

from program import ProgramTest


class Use(ProgramTest):
    def test_what_is_missing_or_wrong(self):
        message = self.check_error(2, "an interface to capture on is missing: -i IFACE", "capture", "tcp")
        self.assertRegex(message, r"hint: there are .*\blo\b")
        self.assertRegex(self.check_error(1, "there is no interface 'none'", "capture", "-i", "none"), r"there are .*\blo\b")
        self.check_error(2, "-c takes", "capture", "-i", "lo", "-c", "0")
        self.check_error(2, "-s takes", "capture", "-i", "lo", "-s", "-1")
        self.check_error(2, "not from both", "capture", "-i", "lo", "-F", "x", "tcp")
        self.check_error(2, "lo has link type EN10MB, not RAW", "capture", "-i", "lo", "-y", "raw")

    def test_a_wrong_expression_is_told_before_rights_are_missing(self):
        self.check_error(2, "^", "capture", "-i", "lo", "tcp port")
        self.assertEqual(self.files(), [])

    @unittest.skipIf(os.geteuid() == 0, "as root it would work")
    def test_rights(self):
        self.check_error(1, "CAP_NET_RAW", "capture", "-i", "lo", "-w", "out")
        self.assertEqual(self.files(), [])

    def test_list(self):
        lines = [line.split() for line in self.check("list", "interfaces").splitlines()]
        self.assertEqual(lines[0], ["name", "link", "type", "state", "addresses"])
        self.assertIn(["lo", "EN10MB"], [line[:2] for line in lines])


if __name__ == "__main__":
    unittest.main()
