#!/usr/bin/env python3
"""Holds every C++ file to including what it uses of the standard library and of fmt: itself, or through headers of weir's own.

Headers that are parsed beforehand (cmake/precompile.cmake), and headers that happen to include others, hide from the compiler
what is missing. A name that has no row here is a failure, so that none goes unlooked at.

includes.py SOURCE_DIRECTORY
"""
import pathlib
import re
import sys

# Headers any of which will do, and the names that they are there for; `chrono::` is all names that begin so.
ROWS = {
    "algorithm": """min max minmax clamp sort find find_if count count_if any_of all_of none_of copy copy_n equal reverse rotate unique
        remove_if replace replace_if fill fill_n upper_bound lower_bound partition_point shuffle is_sorted adjacent_find ranges::""",
    "array": "array to_array",
    "atomic": "atomic memory_order_release memory_order_acquire",
    "bit": """endian has_single_bit countr_zero countl_zero countr_one countl_one popcount bit_width bit_cast bit_ceil bit_floor
        byteswap""",
    "bitset": "bitset",
    "cctype": "isdigit isalnum isalpha isxdigit isspace tolower toupper",
    "charconv": "from_chars to_chars",
    "chrono": "chrono:: chrono_literals",
    "cmath": "pow log log10 exp floor ceil nan isnan isfinite",
    "csignal": "signal raise sig_atomic_t",
    "cstdint": "uint8_t uint16_t uint32_t uint64_t int8_t int16_t int32_t int64_t uintptr_t",
    "cstdio": """fflush fclose fopen fputs fgetc fgets fwrite fread fprintf printf snprintf sscanf setvbuf rewind tmpfile ferror
        perror remove""",
    "cstdlib": "getenv system strtoul strtoull strtod exit abort atexit malloc free aligned_alloc atoi",
    "cstring": "memcpy memmove memset memcmp strerror strlen strncpy",
    "ctime": "clock clock_t",
    "deque": "deque",
    "expected": "expected unexpected",
    "filesystem": "filesystem::",
    "fstream": "ifstream ofstream",
    "functional": "function less greater hash plus minus divides logical_and",
    "initializer_list": "initializer_list",
    "fstream iostream sstream string": "getline",
    "fstream iostream sstream": "ios endl streamsize",
    "iterator": "back_inserter back_insert_iterator istreambuf_iterator move_iterator prev distance",
    "latch": "latch",
    "limits": "numeric_limits",
    "map": "map",
    "memory": "unique_ptr shared_ptr make_unique make_shared make_unique_for_overwrite uninitialized_fill_n uninitialized_copy_n",
    "memory new": "bad_alloc",
    "memory_resource": "pmr::",
    "mutex": "mutex lock_guard call_once once_flag",
    "numeric": "iota accumulate partial_sum",
    "optional": "optional nullopt",
    "random": "mt19937 mt19937_64 uniform_int_distribution",
    "chrono ratio": "nano milli micro",
    "regex": "regex regex_search regex_replace regex_match regex_error sregex_iterator smatch",
    "set": "set",
    "span": "span",
    "sstream": "istringstream ostringstream stringstream",
    "stdexcept": "runtime_error",
    "string": "string to_string stoul stoull stod stoi",
    "string string_view": "string_view",
    "charconv filesystem system_error": "errc error_code system_error generic_category",
    "thread": "thread jthread this_thread::",
    "tuple": "tuple tie",
    "type_traits": "is_same_v is_trivially_copyable_v make_signed_t is_trivially_destructible_v is_nothrow_move_constructible_v",
    "unordered_map": "unordered_map",
    "utility": "move exchange pair swap forward",
    "variant": "variant get_if holds_alternative visit monostate",
    "vector": "vector",
    "fmt/core.h fmt/format.h": "fmt::format fmt::format_to fmt::print fmt::arg fmt::runtime fmt::format_string",
    "fmt/format.h fmt/ranges.h": "fmt::join",
}
# What many headers bring, every container among them.
ANYWHERE = set("size_t ptrdiff_t byte size begin end get erase_if".split())

HEADERS = {name: set(headers.split()) for headers, names in ROWS.items() for name in names.split()}
FOLDERS = ["src", "codegen", "grammar", "tests"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
USED = re.compile(r"\b(?:std::((?:(?:ranges|chrono|filesystem|pmr|this_thread)::)?[a-z]\w*)|(fmt::[a-z]\w*))\b")
COMMENT = re.compile(r"//.*")
STRING = re.compile(r'(?<=[\s(,{=+<])"(?:\\.|[^"\\\n])*"')


class Sources:
    """All files with C++ in them, by their place, and what each includes."""

    def __init__(self, top):
        self.text, self.by_name = {}, {}
        for folder in FOLDERS:
            for file in sorted((top / folder).rglob("*")):
                if file.suffix in {".cc", ".hpp", ".def", ".re", ".yy"}:
                    self.text[file] = COMMENT.sub("", file.read_text())
                    self.by_name.setdefault(file.name, []).append(file)

    def own(self, file, header):
        """The files that an include may mean: beside it, or those whose path ends so."""
        beside = file.parent / header
        if beside in self.text:
            return [beside]
        return [f for f in self.by_name.get(pathlib.Path(header).name, []) if f.as_posix().endswith("/" + header)]

    def reached(self, file):
        """All headers that a file includes, and those that weir's own among them do."""
        headers, seen, waiting = set(), set(), [file]
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            for header in INCLUDE.findall(self.text[at]):
                headers.add(header)
                waiting += self.own(at, header)
        return headers

    def used(self, file):
        return sorted({a or b for a, b in USED.findall(STRING.sub('""', self.text[file]))} - ANYWHERE)


def complaint(name, headers):
    """What is wrong with using a name; None when nothing is."""
    wanted = HEADERS.get(name) or HEADERS.get(name.split("::")[0] + "::")
    if wanted is None:
        return f"uses {name}, of which tests/includes.py does not know the header"
    if not wanted & headers:
        return f"uses {name} and does not include <{min(wanted)}>"
    return None


def main(top):
    sources, wrong = Sources(top), 0
    files = [f for f in sources.text if f.suffix != ".def"]
    for file in files:
        headers = sources.reached(file)
        for problem in filter(None, (complaint(name, headers) for name in sources.used(file))):
            wrong += 1
            print(f"{file.relative_to(top)}: {problem}")
    print(f"{len(files)} files, {wrong} missing includes")
    return wrong != 0 or len(files) < 100


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
