// What `weir filter` costs on a large capture that is in memory already, beside `cat`, tcpdump, and C written by hand over mmap: all in
// one run, each a process of its own.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aimed.hpp"
#include "lists.hpp"
#include "match_engines.hpp"
#include "offline_capture.hpp"
#include "settings.hpp"
#include "weir/weir.hpp"

extern char** environ;

using namespace weir;
using namespace weir::bench;

namespace {

/// The filters of weir_match_bench, but for lists of which tcpdump takes minutes to compile.
std::vector<Row> rows(const std::string& name = {}) {
  auto all = match_rows(name);
  std::erase_if(all, [](const Row& row) { return row.hosts > 100; });
  return all;
}

constexpr const char* usage =
    "weir_offline_bench [--megabytes N] [--snaplen N] [--rounds N] [--filter NAME] [--capture FILE]\n"
    "  --capture  this file, made if it is not there and left there; otherwise one in a folder of its own under TMPDIR, gone\n"
    "             afterwards\n";

struct Arguments {
  std::uint64_t megabytes;
  std::uint32_t snaplen;
  int rounds;
  std::string filter, capture;
};

Arguments arguments(const Settings& s) {
  return {s.count("megabytes"), static_cast<std::uint32_t>(s.count("snaplen")), std::max(1, static_cast<int>(s.count("rounds"))), s.at("filter"),
          s.at("capture")};
}

// ---- a folder that goes away, on Ctrl-C too -----------------------------------------------------------------------

std::string folder, file_in_folder;

void remove_folder() {
  if (folder.empty()) return;
  ::unlink(file_in_folder.c_str());
  ::rmdir(folder.c_str());
}

bool make_folder() {
  const char* where = std::getenv("TMPDIR");
  std::string name = std::string(where != nullptr && *where != '\0' ? where : "/tmp") + "/weir-offline-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return false;
  folder = name;
  file_in_folder = folder + "/traffic.pcap";
  std::atexit(remove_folder);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, [](int) { remove_folder(), _exit(1); });
  return true;
}

// ---- programs -----------------------------------------------------------------------------------------------------

using Words = std::vector<std::string>;

struct Seconds {
  double clock = 1e9, processor = 1e9;
};

/// Runs a program whose standard output goes to a file; the seconds it took, nothing when it failed.
std::optional<Seconds> run(const Words& words, const std::string& output) {
  std::vector<char*> arguments;
  for (const std::string& w : words) arguments.push_back(const_cast<char*>(w.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const auto begin = std::chrono::steady_clock::now();
  pid_t child = 0;
  int status = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  rusage used{};
  if (status == 0) ::wait4(child, &status, 0, &used);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) return std::nullopt;
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return Seconds{took.count(), seconds(used.ru_utime) + seconds(used.ru_stime)};
}

/// The number that a program prints first.
std::optional<std::uint64_t> number(const Words& words, const std::string& capture) {
  const std::string output = capture + ".count";
  const bool ran = run(words, output).has_value();
  std::ifstream in(output);
  std::uint64_t n = 0;
  const bool read = ran && (in >> n);
  std::filesystem::remove(output);
  return read ? std::optional(n) : std::nullopt;
}

Words hand_command(const Row& row, const std::string& capture) {
  Words words = {WEIR_OFFLINE_HAND, capture, row.hand, "/dev/null"};
  for (std::size_t i = 0; i < row.hosts; ++i) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    std::sscanf(list_kinds()[0].element(i).c_str(), "host %u.%u.%u.%u", &a, &b, &c, &d);
    words.push_back(std::to_string(a | b << 8 | c << 16 | d << 24));
  }
  return words;
}

constexpr std::array programs = {"cat", "tcpdump", "hand", "weir"};
constexpr std::size_t hand = 2, ours = 3;

std::array<Words, programs.size()> commands(const Row& row, const std::string& capture) {
  return {Words{"cat", capture}, Words{"tcpdump", "-r", capture, "-w", "/dev/null", row.filter}, hand_command(row, capture),
          Words{WEIR_PROGRAM, "filter", "-r", capture, "-w", "/dev/null", row.filter}};
}

/// How many packets match, when all agree about it.
std::optional<std::uint64_t> matching(const Row& row, const std::string& capture) {
  const auto weir = number({WEIR_PROGRAM, "filter", "-r", capture, "--count", row.filter}, capture);
  const auto by_hand = number(hand_command(row, capture), capture);
  const auto tcpdump = number({"tcpdump", "-r", capture, "--count", row.filter}, capture);
  if (weir && weir == by_hand && weir == tcpdump) return weir;
  const auto shown = [](const std::optional<std::uint64_t>& n) { return n ? std::to_string(*n) : std::string("nothing"); };
  fmt::print("{}: weir finds {} packets, C {}, tcpdump {}\n", row.name, shown(weir), shown(by_hand), shown(tcpdump));
  return std::nullopt;
}

/// The shortest of so many rounds, for others use the machine, too; in each round all take their turn.
std::optional<std::array<Seconds, programs.size()>> measure(const Row& row, const std::string& capture, int rounds) {
  std::array<Seconds, programs.size()> best;
  const auto all = commands(row, capture);
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto took = run(all[i], "/dev/null");
      if (!took) {
        fmt::print("{} failed\n", fmt::join(all[i], " "));
        return std::nullopt;
      }
      best[i].clock = std::min(best[i].clock, took->clock);
      best[i].processor = std::min(best[i].processor, took->processor);
    }
  return best;
}

// ---- the capture --------------------------------------------------------------------------------------------------

/// Packets aimed at each of the filters.
std::vector<oracle::Sample> aimed_at_all(const TrafficModel& model) {
  std::vector<oracle::Sample> all;
  oracle::Random random(11);
  for (const Row& row : rows()) {
    Options options;
    options.optimize = false;
    const auto filter = weir::compile(row.filter, options);
    const auto code = filter ? filter->bytecode() : std::unexpected(filter.error());
    if (!code) continue;
    cbpf::Program meaning;
    for (const Instruction& i : *code) meaning.instructions.push_back({i.code, i.jt, i.jf, i.k});
    std::ranges::move(aimed_packets(model, oracle::Setting{}, meaning, 400, random), std::back_inserter(all));
  }
  return all;
}

std::optional<std::string> make_capture(const Arguments& a) {
  if (!a.capture.empty() && std::filesystem::exists(a.capture)) return a.capture;
  if (a.capture.empty() && !make_folder()) return std::nullopt;
  const std::string path = a.capture.empty() ? file_in_folder : a.capture;
  const auto model = TrafficModel::read(WEIR_BENCH_CORPUS "/traffic/model.txt");
  if (!model) return std::nullopt;
  const auto packets = write_capture(path, *model, aimed_at_all(*model), a.megabytes * 1'000'000, a.snaplen);
  if (!packets) return std::nullopt;
  fmt::print("{} MB, {} packets, in memory already. ", a.megabytes, *packets);
  return path;
}

int run(const Arguments& a) {
  if (rows(a.filter).empty()) return fmt::print(stderr, "weir_offline_bench: there is no filter `{}`\n", a.filter), 2;
  fmt::print("\n### Filtering a capture from file to file\n\n");
  const auto capture = make_capture(a);
  if (!capture) return std::fputs("the capture cannot be made\n", stderr), 1;
  fmt::print("The packets that match are written to /dev/null. Seconds, the shortest of {}; `hand` is C over mmap.\n"
             "Processor time is what is left of a difference when others use the machine, too.\n\n"
             "| filter | packets kept | {} | weir / hand | of processor time |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
             a.rounds, fmt::join(programs, " | "));
  double worst = 0;
  for (const Row& row : rows(a.filter)) {
    const auto kept = matching(row, *capture);
    const auto seconds = kept ? measure(row, *capture, a.rounds) : std::nullopt;
    if (!seconds) return 1;
    fmt::print("| {} | {} |", row.name, *kept);
    for (const Seconds& s : *seconds) fmt::print(" {:.3f} |", s.clock);
    const double ratio = (*seconds)[ours].clock / (*seconds)[hand].clock;
    worst = std::max(worst, ratio);
    fmt::print(" {:.2f} | {:.2f} |\n", ratio, (*seconds)[ours].processor / (*seconds)[hand].processor);
    std::fflush(stdout);
  }
  fmt::print("\nweir / hand, the most: {:.2f}\n", worst);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings("weir_offline_bench", usage,
                    {{"megabytes", "1000"}, {"snaplen", "262144"}, {"rounds", "7"}, {"filter", ""}, {"capture", ""}});
  if (const auto status = settings.read(argc, argv)) return *status;
  return printed("weir_offline_bench", [&] { return run(arguments(settings)); });
}
