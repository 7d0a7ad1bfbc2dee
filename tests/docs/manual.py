"""Man pages as tests see them: their blocks of examples as a reader sees them, and their tables.

A table stands between a comment that says what is promised of its rows and `.\\" end`:

    .\\" same -y PPP                  the two filters of a row compile to the same
    .\\" same | len = {} | len = {}   the same of what they become when they are put into these filters
    .\\" alike                        the two filters of a row find the same packets in the captures of Ethernet
    .\\" compiles                     the filter compiles, without a warning
    .\\" refused                      the filter is refused, with a message that has the words beside it
    .\\" count vlan.pcap              the filter finds as many packets in that capture

A row begins at the margin, and goes on in lines that do not; two spaces and more part its cells, and a cell that ends with
`and` or `or` goes on in the next line. Cells beyond those that the promise is about are free. A first cell with commas holds
several filters.
"""
import pathlib
import re
import shlex
import typing

ESCAPES = ((r"\-", "-"), (r"\&", ""), (r"\(aq", "'"), (r"\(ha", "^"), (r"\(ti", "~"), (r"\(ga", "`"), (r"\fB", ""), (r"\fI", ""),
           (r"\fP", ""), (r"\e", "\\"))


def as_read(source):
    for escape, text in ESCAPES:
        source = source.replace(escape, text)
    return source


class Table(typing.NamedTuple):
    kind: str
    options: list
    templates: list  # of the first two cells
    rows: list       # of cells


def blocks(page: pathlib.Path):
    return [as_read(block) for block in re.findall(r"^\.EX\n(.*?)^\.EE", page.read_text(), re.M | re.S)]


def rows_of(body):
    rows = []
    for line in as_read("\n".join(l for l in body.splitlines() if not l.startswith("."))).splitlines():
        cells = re.split(r" {2,}|\t", line.strip())
        if line.startswith(" "):
            if re.search(r" (and|or)$", rows[-1][-1]):
                rows[-1][-1] += " " + cells.pop(0)
            rows[-1] += cells
        elif line:
            rows.append(cells)
    return rows


def tables(page: pathlib.Path):
    for head, body in re.findall(r'^\.\\" ((?:same|alike|compiles|refused|count)\b[^\n]*)\n(.*?)^\.\\" end$', page.read_text(), re.M | re.S):
        words, *templates = [part.strip() for part in head.split(" | ")]
        kind, *options = shlex.split(words)
        yield Table(kind, options, templates or ["{}", "{}"], rows_of(body))
