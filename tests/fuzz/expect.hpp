// How a fuzz target says that something is wrong: by ending the process, which the fuzzer takes for a crash and keeps the input.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/diagnostic.hpp"
#include "weir/weir.hpp"

namespace weir::fuzz {

inline void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "WRONG: %s\n", what.c_str());
  std::abort();
}

/// Whatever a diagnostic says, it has words, its place lies in the text, and it can be shown.
inline void expect_presentable(std::string_view text, const Diagnostic& d) {
  expect(!d.message.empty(), "a diagnostic without a message");
  expect(d.span.begin <= d.span.end && d.span.end <= text.size(), "a diagnostic about a place outside the text: " + d.message);
  const std::string shown = render(text, d);
  expect(shown.starts_with("error: ") && shown.ends_with('\n'), "a diagnostic shown as: " + shown);
}

}  // namespace weir::fuzz
