// Messages for people, on standard error.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "weir/weir.hpp"

namespace weir::cli {

/// Exit status of the program.
enum Status : int {
  Done = 0,
  CouldNot = 1,  ///< a file, a permission, a damaged input; undecided
  Wrong = 2,     ///< wrong use, or a wrong expression
  Differs = 3,   ///< `prove`: a packet tells the programs apart
};

/// A filter expression as it was given.
struct FilterText {
  std::string text;
  std::string file;  ///< where it was read from; empty: the command line
};

/// Prints the error, with its place in the expression (and file) where it has one; returns the status that it means.
Status report(const Diagnostic& error, const FilterText& expression = {});
void report_warnings(std::span<const Diagnostic> warnings, const FilterText& expression);
/// `weir: warning: …`, with the error that is the reason for it.
void print_warning(std::string_view message, const Diagnostic& reason);
/// `weir: …`, for what is neither error nor warning.
void print_note(std::string_view message);
/// Without a prefix.
void print_text(std::string_view text);
/// `weir: error: …`.
void print_error(std::string_view message);

/// To standard error in one piece, as it is. That it cannot be written stops nothing: the work matters more than the message.
void put_on_standard_error(std::string_view text);

/// "1 packet", "2 packets".
std::string packets(std::uint64_t n);

/// What a terminal may show of names that came from outside: each control character but line feed and tab is a question
/// mark. All messages above are made so.
std::string visible(std::string text);

}  // namespace weir::cli
