#!/bin/sh
# Installs into an empty folder and builds the examples of README.md and man/weir.3 against that, with pkg-config and with CMake.
# install_test.sh BUILD_DIRECTORY SOURCE_DIRECTORY COMPILER
set -eu
build=$1 source=$2 compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

check() { [ "$("$1")" = "$2" ] || { echo "$1: did not print '$2'" >&2; exit 1; }; }

cmake --install "$build" --prefix "$prefix" >"$work/log" || { cat "$work/log"; exit 1; }
"$prefix/bin/weir" --version
[ -s "$prefix/share/man/man1/weir.1" ]
[ -s "$prefix/share/man/man3/weir.3" ]
[ -s "$prefix/share/man/man7/weir-filter.7" ]

# shellcheck disable=SC2016
sed -n '/^```cpp$/,/^```$/{/^```/!p}' "$source/README.md" >"$work/example.cc"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name weir.pc)")
export PKG_CONFIG_PATH
PYTHONPATH=$source/tests/docs PYTHONDONTWRITEBYTECODE=1 python3 -c 'import manual, pathlib, sys
print(*(block for block in manual.blocks(pathlib.Path(sys.argv[1])) if "#include" in block))' "$source/man/weir.3" >"$work/page.cc"
for name in example page; do
  # shellcheck disable=SC2046
  "$compiler" -std=c++23 -Wall -Wextra -Wpedantic -Wconversion -Werror "$work/$name.cc" -o "$work/$name" \
    $(pkg-config --cflags --libs weir)
done
check "$work/example" kept
check "$work/page" '100 of 300 packets kept'

cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(example LANGUAGES CXX)
find_package(weir REQUIRED)
add_executable(example example.cc)
target_link_libraries(example weir::weir)
END
{
  cmake -S "$work" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler"
  cmake --build "$work/cmake"
} >"$work/log" || { cat "$work/log"; exit 1; }
check "$work/cmake/example" kept
