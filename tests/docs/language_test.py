#!/usr/bin/env python3
"""Holds man/weir-filter.7 to what the program does: its tables (manual.py says what they promise), its words, its markup."""
import functools
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import manual

SOURCE = pathlib.Path(os.environ["WEIR_SOURCE"])
WEIR = pathlib.Path(os.environ["WEIR"])
PAGE = SOURCE / "man" / "weir-filter.7"
PACKETS = SOURCE / "corpus" / "packets"
WIDEST = 73  # columns of a terminal with 80 behind the margin


@functools.cache
def weir(*arguments):
    return subprocess.run([WEIR, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def filters(cell, template="{}"):
    return [template.replace("{}", part) for part in cell.split(", ")]


def rows(kind):
    for table in manual.tables(PAGE):
        if table.kind == kind:
            for row in table.rows:
                yield table, row


class Tables(unittest.TestCase):
    def compiled(self, options, expression, how="-ddd"):
        process = weir("compile", how, *options, "--", expression)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process.stdout

    def test_same(self):
        for table, row in rows("same"):
            left, right = table.templates
            for one in filters(row[0], left):
                with self.subTest(one=one, other=row[1]):
                    other = right.replace("{}", row[1])
                    if self.compiled(table.options, one) != self.compiled(table.options, other):
                        self.assertEqual(self.compiled(table.options, one, "--emit=pred"),
                                         self.compiled(table.options, other, "--emit=pred"))

    def test_alike(self):
        for table, row in rows("alike"):
            for one in filters(row[0], table.templates[0]):
                with self.subTest(one=one, other=row[1]):
                    for capture in ("ethernet", "ipv4", "ipv6", "llc"):
                        found = [weir("filter", "-r", PACKETS / f"{capture}.pcap", *table.options, "--", each)
                                 for each in (one, row[1])]
                        self.assertEqual([each.stderr for each in found], ["", ""])
                        self.assertEqual(*(each.stdout for each in found))

    def test_compiles(self):
        for table, row in rows("compiles"):
            for one in filters(row[0], table.templates[0]):
                with self.subTest(filter=one):
                    process = weir("compile", *table.options, "--", one)
                    self.assertEqual((process.returncode, process.stderr), (0, ""))

    def test_refused(self):
        for table, row in rows("refused"):
            with self.subTest(filter=row[0]):
                process = weir("compile", *table.options, "--", row[0])
                self.assertEqual(process.returncode, 2)
                self.assertIn(row[1], process.stderr)

    def test_count(self):
        for table, row in rows("count"):
            with self.subTest(filter=row[0]):
                capture, *options = table.options
                process = weir("filter", "-r", PACKETS / capture, "--count", *options, "--", row[0])
                self.assertEqual(process.stdout.split()[:1], [row[1]], process.stderr)

    def test_there_are_tables_of_each_kind(self):
        kinds = {table.kind for table in manual.tables(PAGE)}
        self.assertEqual(kinds, {"same", "alike", "compiles", "refused", "count"})
        self.assertTrue(all(table.rows for table in manual.tables(PAGE)))


def quoted(path):
    """The words in quotes of a .def file, without its comments."""
    text = re.sub(r"//.*", "", (SOURCE / path).read_text())
    return set(re.findall(r'"([^"\n]+)"', text))


def quoted_in_column(path, macro, column):
    text = re.sub(r"//.*", "", (SOURCE / path).read_text())
    return {cells.split(",")[column].strip(' "\n') for cells in re.findall(rf"{macro}\(([^)]*)\)", text)} - {""}


class Words(unittest.TestCase):
    def assert_all_stand_there(self, words):
        self.assertTrue(words)
        there = set(re.findall(r"[\w.-]*\w", manual.as_read(PAGE.read_text())))
        self.assertEqual(sorted(words - there), [])

    def test_keywords(self):
        self.assert_all_stand_there(quoted("grammar/keywords.def"))

    def test_protocols(self):
        self.assert_all_stand_there(quoted("src/ast/protocols.def"))

    def test_names_that_are_no_keywords(self):
        self.assert_all_stand_there(quoted("src/wire/wlan.def") | quoted("src/wire/llc.def") | quoted("src/wire/pf.def"))
        self.assert_all_stand_there(quoted_in_column("src/wire/ethertypes.def", "WEIR_ETHERTYPE", 2))
        self.assert_all_stand_there(quoted_in_column("src/wire/llc_saps.def", "WEIR_LLC_SAP", 2))

    def test_link_types_of_which_more_is_known_than_bytes(self):
        listing = weir("list", "linktypes").stdout.splitlines()[1:]
        self.assert_all_stand_there({line.split()[0] for line in listing if not line.endswith(" bytes")})


class Markup(unittest.TestCase):
    @unittest.skipUnless(shutil.which("groff"), "needs groff")
    def test_groff_has_nothing_to_say(self):
        for page in sorted(PAGE.parent.iterdir()):
            process = subprocess.run(["groff", "-man", "-ww", "-b", "-Tutf8", "-z", page], stderr=subprocess.PIPE, text=True)
            self.assertEqual((process.returncode, process.stderr), (0, ""))

    def test_examples_fit_a_terminal(self):
        wide = [line for block in manual.blocks(PAGE) for line in block.splitlines() if len(line) > WIDEST]
        self.assertEqual(wide, [])

    def test_examples_can_be_copied(self):
        """A plain quote, hyphen or circumflex of the source is another character on the page."""
        source = "".join(re.findall(r"^\.EX\n(.*?)^\.EE", PAGE.read_text(), re.M | re.S))
        self.assertEqual([line for line in source.splitlines() if re.search(r"(?<!\\)-|['^`~]", line)], [])


if __name__ == "__main__":
    unittest.main()
