// Programs in the running kernel: all hooks, in a network namespace of the tests. Needs root; elsewhere it says so, and fails where
// the environment has CI=true.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "attach/rights.hpp"
#include "network.hpp"

int main(int count, char** words) {
  const auto rights = weir::attach::rights();
  std::string trouble;
  if (!rights.bpf || !rights.net_admin || !rights.perfmon) trouble = "it needs root";
  else trouble = weir::kernel::enter_new_network();
  if (!trouble.empty()) {
    std::printf("SKIPPED: programs in the kernel: %s\n", trouble.c_str());
    const char* ci = std::getenv("CI");
    return ci && std::string_view(ci) == "true" ? 1 : 77;
  }
  return doctest::Context(count, words).run();
}
