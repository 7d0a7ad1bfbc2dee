// Runs a fuzz target over files, without a fuzzer: what it once found, and the corpus. An input may take a second of
// processor time in a build without sanitizers, ten with them.
//
//   replay FOLDER|FILE…
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/core.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr double most_seconds = 10;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr double most_seconds = 10;
#else
constexpr double most_seconds = 1;
#endif
#else
constexpr double most_seconds = 1;
#endif

std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// Processor time that the target takes for the file.
double seconds_for(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::clock_t start = std::clock();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0, slow = 0;
  double slowest = 0;
  std::filesystem::path which;
  for (int i = 1; i < argc; ++i) {
    for (const auto& path : files_of(argv[i])) {
      fmt::print("{}\n", path.string());
      std::fflush(stdout);
      const double seconds = seconds_for(path);
      ++count;
      if (seconds > most_seconds) ++slow;
      if (seconds > slowest) slowest = seconds, which = path;
    }
  }
  fmt::print("{} inputs, the slowest {:.3f} s ({}), {} beyond {} s\n", count, slowest, which.string(), slow, most_seconds);
  return slow != 0 || count == 0;
}
