// Case files. Lines of one file:
//
//   include FILE                 packets of another file, beside this one
//   packet NAME HEX…             a packet; more hex on lines that begin with a space
//   filter TEXT                  begins a case; the lines below belong to it
//     link NAME                  link type (EN10MB when there is no such line)
//     netmask N  snaplen N  live  savefile native|swapped
//     same TEXT                  another filter with the same meaning, value by value
//     other TEXT                 a filter with another meaning
//     accept NAME [cut N] [length N]
//     reject NAME [cut N] [length N]
//     error TEXT                 the message; and below it, the words at fault and the hint
//       at TEXT
//       hint TEXT
//     warning TEXT
//     dump pred|ir|listing|ast   the dump on the lines below, each behind a bar
//       | …
//
// `#` begins a comment line. Indentation is for the eye, but for the bars.
#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

namespace weir::cases {

struct Line {
  std::string indent, word, rest;  ///< as written: indent + word + " " + rest
  std::size_t number = 0;
};

struct Case {
  Line filter;
  std::vector<Line> lines;
};

struct File {
  std::map<std::string, std::vector<std::uint8_t>> packets;
  std::vector<Line> head;    ///< what stands before the first case
  std::vector<Case> cases;
};

/// Reads a file; the message says which line is wrong.
std::expected<File, std::string> read(const std::string& path);

/// The text of a file; reading it and writing it again changes nothing.
std::string to_string(const File& file);

}  // namespace weir::cases
