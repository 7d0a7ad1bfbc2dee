#!/usr/bin/env python3
"""Holds corpus/filters/ to what it promises: every word of the language occurs in a filter that is accepted, every file
says what it is about, and the table of corpus/README.md lists each with its number of filters.

corpus_test.py SOURCE_DIRECTORY
"""
import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(sys.argv.pop() if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
FILTERS = SOURCE / "corpus" / "filters"

# `gateway` takes a host that is in /etc/ethers and has addresses, too; no machine's tables can be counted on for that.
NEEDS_NAMES = "gateway"

# Files with rows of words: file, and which strings of a row are words.
TABLES = (("grammar/keywords.def", r'^WEIR_KEYWORD\("([^"]+)"'),
          ("src/wire/wlan.def", r'^WEIR_WLAN_\w+\([^"\n]*"([^"]+)"'),
          ("src/wire/pf.def", r'^WEIR_PF_\w+\("([^"]+)"'),
          ("src/wire/llc.def", r'^WEIR_LLC_KIND\("([^"]+)"'))
# Words behind `ether proto \`, and protocols, which may have several spellings in a row.
ROWS = (("src/ast/protocols.def", r"^WEIR_PROTOCOL\((.*)\)"),
        ("src/wire/llc_saps.def", r"^WEIR_LLC_SAP\((.*)\)"))


def words_of_the_language():
    for name, pattern in TABLES:
        yield from re.findall(pattern, (SOURCE / name).read_text(), re.M)
    for name, pattern in ROWS:
        for row in re.findall(pattern, (SOURCE / name).read_text(), re.M):
            yield from filter(None, re.findall(r'"([^"]*)"', row))


def themes():
    return sorted(FILTERS.glob("*.txt"))


def filters(path):
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.rpartition("\t")[2]


class Corpus(unittest.TestCase):
    def test_every_word_occurs(self):
        used = {word for path in themes() if not path.name.startswith("refused") for text in filters(path)
                for word in re.findall(r"[A-Za-z0-9](?:[-\w.]*\w)?", text)}
        excused = {NEEDS_NAMES}
        known = set(words_of_the_language())
        self.assertGreater(len(known), 200)
        self.assertEqual(sorted(known - used - excused), [], "words in no filter")
        self.assertEqual(sorted(excused & used), [], "words that need no excuse any more")
        self.assertEqual(sorted(excused - known), [], "excuses for words that are none")

    def test_no_filter_occurs_twice(self):
        lines = [line for path in themes() for line in path.read_text().splitlines() if not line.startswith("#")]
        self.assertEqual(sorted({line for line in lines if lines.count(line) > 1}), [])
        self.assertNotIn("", lines)

    def test_themes_say_what_they_are(self):
        readme = (SOURCE / "corpus" / "README.md").read_text()
        for path in themes():
            with self.subTest(theme=path.name):
                lines = path.read_text().splitlines()
                self.assertTrue(lines[0].startswith("# ") and lines[1].startswith("# "))
                count = sum(1 for _ in filters(path))
                row = re.search(rf"\| `{re.escape(path.name)}` \|.*\| {count} \|\n", readme)
                self.assertTrue(row, f"no row in corpus/README.md says that {path.name} has {count} filters")


if __name__ == "__main__":
    unittest.main()
