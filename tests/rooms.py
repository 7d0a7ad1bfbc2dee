#!/usr/bin/env python3
"""Holds the includes of all rooms to the arrows of the weir_room() lines in CMakeLists.txt.

rooms.py SOURCE_DIRECTORY
"""
import pathlib
import re
import sys

ROOM = re.compile(r"^weir_room\(([^)]+)\)", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s+"(\w+)/[^"]+"', re.M)


def rooms(top):
    """Name of a room: its folder, and the rooms it may use."""
    for line in ROOM.findall((top / "CMakeLists.txt").read_text()):
        name, folder, *uses = line.split()
        yield name, (top / folder, {name, "base", *uses})


def main(top):
    all_rooms = dict(rooms(top))
    # The program shows what the library can do, so it may use no more of it than its users.
    all_rooms["cli"][1].intersection_update({"cli", "capture", "prove", "weir", "base"})
    wrong = 0
    for name, (folder, allowed) in all_rooms.items():
        files = [f for f in sorted(folder.glob("*")) if f.suffix in {".cc", ".hpp", ".h", ".re", ".yy", ".def"}]
        for file in files:
            for used in INCLUDE.findall(file.read_text()):
                if used not in allowed:
                    wrong += 1
                    print(f"{file.relative_to(top)}: {name} may not use {used}" if used in all_rooms
                          else f"{file.relative_to(top)}: {used} is no room")
    print(f"{len(all_rooms)} rooms, {wrong} includes against the arrows")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
