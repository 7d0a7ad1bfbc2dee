#include "match_counts.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif

namespace weir::bench {

namespace {

constexpr char between_names = '|';

/// What one of callgrind's files says: the label that it was written under, and instructions.
void read_counts(const std::filesystem::path& file, Counts& counts) {
  std::ifstream in(file);
  std::string line, label;
  double total = 0;
  while (std::getline(in, line)) {
    constexpr std::string_view why = "desc: Trigger: Client Request: ", sum = "totals: ";
    if (line.starts_with(why)) label = line.substr(why.size());
    if (line.starts_with(sum)) total = std::stod(line.substr(sum.size()));
  }
  const std::size_t at = label.find(between_names);
  if (at != label.npos) counts[{label.substr(0, at), label.substr(at + 1)}] = total;
}

}  // namespace

#ifdef RUNNING_ON_VALGRIND

bool is_counted() { return RUNNING_ON_VALGRIND != 0; }

void count(const Subject& subject, const Packets& packets) {
  for (const Runner& e : subject.engines()) {
    if (!e.run) continue;
    e.run(packets);  // what is done at the first time only
    CALLGRIND_DUMP_STATS_AT("before");  // and from here on it counts anew
    e.run(packets);
    const std::string label = subject.row().name + between_names + e.name;
    CALLGRIND_DUMP_STATS_AT(label.c_str());
  }
}

#else

bool is_counted() { return false; }
void count(const Subject&, const Packets&) {}

#endif

Counts counted(const std::vector<std::string>& program) {
  char folder[] = "/tmp/weir_counts_XXXXXX";
  if (mkdtemp(folder) == nullptr) {
    std::perror(folder);
    return {};
  }
  const std::string out = fmt::format("--callgrind-out-file={}/out", folder);
  std::vector<const char*> words{"valgrind", "--quiet", "--tool=callgrind", out.c_str()};
  for (const std::string& word : program) words.push_back(word.c_str());
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    execvp(words[0], const_cast<char* const*>(words.data()));
    std::perror(words[0]);
    _exit(127);
  }
  int status = 1;
  if (child > 0) waitpid(child, &status, 0);
  Counts counts;
  for (const auto& file : std::filesystem::directory_iterator(folder)) read_counts(file.path(), counts);
  std::filesystem::remove_all(folder);
  if (status != 0 || counts.empty()) fmt::print(stderr, "instructions were not counted\n");
  return status == 0 ? counts : Counts{};
}

}  // namespace weir::bench
