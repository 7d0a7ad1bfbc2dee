#!/bin/sh
# Installs into an empty folder and builds the example of README.md against that, with pkg-config and with CMake.
# install_test.sh BUILD_DIRECTORY SOURCE_DIRECTORY COMPILER
set -eu
build=$1 source=$2 compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

check() { [ "$("$@")" = kept ] || { echo "$*: did not print 'kept'" >&2; exit 1; }; }

cmake --install "$build" --prefix "$prefix" >"$work/log" || { cat "$work/log"; exit 1; }
"$prefix/bin/weir" --version
[ -s "$prefix/share/man/man1/weir.1" ]
[ -s "$prefix/share/man/man7/weir-filter.7" ]

# shellcheck disable=SC2016
sed -n '/^```cpp$/,/^```$/{/^```/!p}' "$source/README.md" >"$work/example.cc"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name weir.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
"$compiler" -std=c++23 -Wall -Wextra -Wpedantic -Werror "$work/example.cc" -o "$work/example" \
  $(pkg-config --cflags --libs weir)
check "$work/example"

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
check "$work/cmake/example"
