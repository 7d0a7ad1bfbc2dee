// weir_emulated: native code of filters for AArch64, run by qemu as on such a CPU, against the graphs that it was made of.
//
//   weir_emulated --qemu PROGRAM --runner PROGRAM [--filters N] [--seed S] [--corpus DIRECTORY [--every N]]
//
// Of each filter the graph as it is lowered and the optimized one, at two cuts of packets that the oracle makes for it, each
// packet in a call of its own and all in a batch.
// Exit status: 0 all agree, 1 not, 2 wrong use.
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "explore.hpp"
#include "generate.hpp"
#include "known_files.hpp"
#include "native/batch.hpp"
#include "native/emit.hpp"
#include "packets.hpp"
#include "resolver.hpp"
#include "subject.hpp"

namespace weir::emulated {
namespace {

using oracle::Random;
using oracle::Sample;

struct Options {
  std::uint64_t filters = 500, seed = 1, every = 1;
  std::string qemu, runner, corpus;
};

/// The file that runner.c reads.
class File {
 public:
  explicit File(const std::filesystem::path& path) : out_(path, std::ios::binary) {}

  void number(std::uint32_t k) {  // as an AArch64 CPU has it
    for (int shift = 0; shift < 32; shift += 8) out_.put(static_cast<char>(k >> shift & 0xff));
  }
  void bytes(std::span<const std::uint8_t> b) {
    out_.write(reinterpret_cast<const char*>(b.data()), static_cast<std::streamsize>(b.size()));
  }
  bool close() {
    out_.close();
    return !out_.fail();
  }

 private:
  std::ofstream out_;
};

/// A folder that goes when it is no longer needed.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "weir_emulated_XXXXXX").string();
    if (mkdtemp(name.data())) path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) : file_(path), names_(names::system_names()) {}

  void filter(const oracle::Setting& setting, const std::string& text, Random& random) {
    const auto subject = oracle::compile(setting, text, *names_);
    if (!subject) return;
    ++filters;
    const auto samples = packets(setting, *subject, random);
    const std::string name = fmt::format("{}: `{}`", oracle::described(setting), text);
    // Filters that would take more code than is of use have none.
    add(name + " (not optimized)", subject->graph, samples, random);
    add(name, subject->optimized, samples, random);
  }
  bool close() { return file_.close(); }

  std::vector<std::string> codes;  ///< by number
  std::uint64_t filters = 0, verdicts = 0, accepted = 0;

 private:
  static std::vector<Sample> packets(const oracle::Setting& setting, const oracle::Subject& subject, Random& random) {
    constexpr std::size_t seeds = 3, most = 30;
    std::vector<Sample> samples;
    for (std::size_t n = 0; n < seeds; ++n) samples.push_back(oracle::realistic_packet(setting.link_type, random));
    oracle::explore(subject.optimized_code, samples, std::min<std::size_t>(20 + subject.optimized_code.instructions.size(), 100), random);
    if (samples.size() > most) samples.resize(most);
    return samples;
  }

  void add(const std::string& name, const ir::Program& graph, const std::vector<Sample>& samples, Random& random) {
    const auto one = native::encode(graph, native::Cpu::AArch64), all = native::encode_batch<Packet>(graph, native::Cpu::AArch64);
    if (!one || !all) return;
    codes.push_back(name);
    for (const std::size_t k : {one->bytes.size(), all->bytes.size(), 2 * samples.size()}) file_.number(static_cast<std::uint32_t>(k));
    file_.bytes(one->bytes);
    file_.bytes(all->bytes);
    for (const Sample& s : samples)
      for (const std::size_t cut : {s.bytes.size(), s.bytes.empty() ? std::size_t{0} : random.below(s.bytes.size())})
        packet(graph, s.cut(cut));
  }

  void packet(const ir::Program& graph, const Packet& p) {
    const std::uint32_t expected = ir::evaluate(graph, p);
    verdicts += 2;
    accepted += expected != 0;
    for (const std::uint32_t k :
         {static_cast<std::uint32_t>(p.bytes.size()), p.length, expected, p.meta.protocol, p.meta.packet_type,
          p.meta.interface_index, p.meta.vlan_tag, p.meta.vlan_tag_present, p.meta.vlan_protocol})
      file_.number(k);
    file_.bytes(p.bytes);
  }

  File file_;
  std::shared_ptr<const names::Names> names_;
};

void write_generated(Writer& writer, const Options& options) {
  for (std::uint64_t n = 0; n < options.filters; ++n) {
    Random random(oracle::derive(options.seed, n));
    const auto& types = oracle::link_types();
    const std::string link_type = random.percent(40) ? "EN10MB" : std::string(types[random.below(types.size())]);
    const oracle::Generated g = oracle::generate(link_type, random);
    writer.filter(g.setting, g.filter, random);
  }
}

void write_corpus(Writer& writer, const Options& options) {
  std::uint64_t n = 0;
  Random random(options.seed);
  for (const auto& theme : oracle::themes(options.corpus))
    for (const std::string& line : oracle::lines_of(theme)) {
      if (line.starts_with('#') || n++ % options.every != 0) continue;
      const oracle::Written w = oracle::written_in(line);
      writer.filter(w.setting, w.filter, random);
    }
}

/// What the runner printed, line by line, and how it ended.
struct Ran {
  std::vector<std::string> lines;
  int status = -1;
};

Ran run(const Options& options, const std::filesystem::path& file) {
  Ran ran;
  FILE* pipe = popen(fmt::format("'{}' '{}' '{}'", options.qemu, options.runner, file.native()).c_str(), "r");
  if (!pipe) return ran;
  char line[256];
  while (std::fgets(line, sizeof line, pipe)) ran.lines.emplace_back(line);
  ran.status = pclose(pipe);
  return ran;
}

void show(const std::vector<std::string>& lines, const std::vector<std::string>& codes) {
  for (const std::string& line : lines) {
    unsigned long code = 0;
    fmt::print("{}", line);
    if (std::sscanf(line.c_str(), "code %lu packet", &code) == 1 && code < codes.size()) fmt::print("  {}\n", codes[code]);
  }
}

int run_main(const Options& options) {
  oracle::keep_off_the_network();
  const Folder folder;
  const auto file = folder.path() / "codes";
  Writer writer(file);
  if (options.corpus.empty()) write_generated(writer, options);
  else write_corpus(writer, options);
  if (!writer.close()) {
    fmt::print(stderr, "weir_emulated: cannot write {}\n", file.native());
    return 1;
  }
  const Ran ran = run(options, file);
  show(ran.lines, writer.codes);
  const bool complete = !ran.lines.empty() && ran.lines.back() == fmt::format("{} verdicts\n", writer.verdicts);
  const bool right = complete && WIFEXITED(ran.status) && WEXITSTATUS(ran.status) == 0 && writer.verdicts > 0;
  fmt::print("{} filters, {} codes, {} verdicts ({} accepted): {}\n", writer.filters, writer.codes.size(), writer.verdicts, writer.accepted,
             right ? "all as the graphs" : complete ? "WRONG" : fmt::format("WRONG: the runner ended early, with status {}", ran.status));
  return right ? 0 : 1;
}

std::optional<Options> parse_options(int argc, char** argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i], value = argv[i + 1];
    if (word == "--filters") o.filters = std::stoull(value);
    else if (word == "--seed") o.seed = std::stoull(value);
    else if (word == "--every") o.every = std::max(1ull, std::stoull(value));
    else if (word == "--corpus") o.corpus = value;
    else if (word == "--qemu") o.qemu = value;
    else if (word == "--runner") o.runner = value;
    else return std::nullopt;
  }
  if (argc % 2 == 0 || o.qemu.empty() || o.runner.empty()) return std::nullopt;
  return o;
}

}  // namespace
}  // namespace weir::emulated

int main(int argc, char** argv) {
  const auto options = weir::emulated::parse_options(argc, argv);
  if (!options) {
    std::fputs("weir_emulated: wrong use; see tests/emulated/main.cc\n", stderr);
    return 2;
  }
  return weir::emulated::run_main(*options);
}
