#!/usr/bin/env python3
"""Holds the includes of all rooms to the arrows of the weir_room() lines in CMakeLists.txt.

rooms.py SOURCE_DIRECTORY
"""
import pathlib
import re
import sys

ROOM = re.compile(r"^weir_room\(([^)]+)\)", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s+"((\w+)/[^"]+)"', re.M)

# The program shows what the library can do, so it may use no more of it than its users, but for what a proof is about.
CLI_ROOMS = {"cli", "capture", "prove", "weir", "base"}
CLI_HEADERS_OF_WEIR = {"weir/weir.hpp", "weir/attach.hpp", "weir/run.hpp", "weir/stages.hpp"}


def rooms(top):
    """Name of a room: its folder, and the rooms it may use."""
    for line in ROOM.findall((top / "CMakeLists.txt").read_text()):
        name, folder, *uses = line.split()
        yield name, (top / folder, {name, "base", *uses})


def complaint(room, header, used, all_rooms):
    """What is wrong with an include; None when nothing is."""
    if used not in all_rooms:
        return f"{used} is no room"
    if used not in all_rooms[room][1]:
        return f"{room} may not use {used}"
    if room == "cli" and used == "weir" and header not in CLI_HEADERS_OF_WEIR:
        return f"{header} is not for users of the library"
    return None


def main(top):
    all_rooms = dict(rooms(top))
    all_rooms["cli"][1].intersection_update(CLI_ROOMS)
    wrong = 0
    for name, (folder, _) in all_rooms.items():
        files = [f for f in sorted(folder.glob("*")) if f.suffix in {".cc", ".hpp", ".h", ".re", ".yy", ".def"}]
        for file in files:
            for header, used in INCLUDE.findall(file.read_text()):
                if problem := complaint(name, header, used, all_rooms):
                    wrong += 1
                    print(f"{file.relative_to(top)}: {problem}")
    print(f"{len(all_rooms)} rooms, {wrong} includes against the arrows")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
