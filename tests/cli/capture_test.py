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

    def test_options_of_tcpdump(self):
        for arguments, message in ((("-i", "lo", "-vvv"), "no option -v\n  hint: .*tcpdump -r -"),
                                   (("-ilo", "-e"), "no option -e\n  hint: .*tcpdump -r -"),
                                   (("-D",), "no option -D\n  hint: weir list interfaces"),
                                   (("-i", "lo", "-G", "60", "-w", "x"), "no option -G\n  hint: weir writes one file"),
                                   (("-r", "x"), "no option -r\n  hint: weir filter reads"),
                                   (("-i", "lo", "-I"), "no option -I\n  hint: put the interface into monitor mode"),
                                   (("-i", "lo", "-j", "host"), "no option -j\n  hint: leave it and the type out"),
                                   (("--direction=in", "-i", "lo"), "no option --direction\n  hint: say inbound or outbound"),
                                   (("-i", "lo", "--frob"), "has no option --frob\n  hint: weir capture --help")):
            self.assertRegex(self.check_error(2, "hint: ", "capture", *arguments), message)
        self.assertRegex(self.check_error(2, "", "filter", "-i", "lo"), "no option -i\n  hint: weir capture takes")

    def test_options_that_ask_for_what_is_done_anyway(self):
        for command, message in (("capture", "there is no interface 'none'"), ("filter", "cannot read none")):
            source = "-i" if command == "capture" else "-r"
            for options in ((f"-nn{source[1]}", "none"), ("-n", "-l", "-U", "-K", "--immediate-mode", source, "none", "tcp"), (source, "none", "-fN")):
                self.check_error(1, message, command, *options)
        self.assertEqual(self.check("compile", "-nd", "tcp"), self.check("compile", "-d", "tcp"))
        self.assertNotIn("-n", self.check("compile", "--help").split())

    def test_commands_of_tcpdump(self):
        for arguments, meant in ((("-ni", "eth0", "tcp"), "capture -ni eth0 tcp"), (("-D",), "list interfaces"), (("--list-interfaces",), "list interfaces"),
                                 (("-nnr", "a b", "-w", "out"), "filter -nnr 'a b' -w out"),
                                 (("--interface=eth0", "-U", "-w", "-"), "capture --interface=eth0 -U -w -"), (("-nnd", "tcp"), "compile -nnd tcp")):
            self.check_error(2, f"did you mean weir {meant}?\n", *arguments)

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
