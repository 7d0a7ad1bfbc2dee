#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>

#include "aimed.hpp"
#include "bench.hpp"
#include "child.hpp"
#include "reference.hpp"
#include "vm/cbpf.hpp"
#include "weir/weir.hpp"

namespace weir::bench {
namespace {

constexpr std::size_t block_size = 20'000;
constexpr std::size_t aimed_pool = 2'000;

/// The first letter: p and a program, or m and a message.
using Answer = std::string;

Answer answer_of(const void* instructions, std::size_t count) {
  static_assert(sizeof(Instruction) == sizeof(cbpf::Instruction));
  return "p" + std::string(static_cast<const char*>(instructions), count * sizeof(cbpf::Instruction));
}

Answer by_libpcap(oracle::Reference& libpcap, const oracle::Setting& setting, const std::string& filter, bool optimized) {
  const auto program = libpcap.compile(setting, filter, optimized);
  return program ? answer_of(program->instructions.data(), program->instructions.size()) : "m" + program.error();
}

Answer by_weir(const Options& options, const std::string& filter) {
  const auto compiled = weir::compile(filter, options);
  if (!compiled) return "m" + compiled.error().message;
  const auto code = compiled->bytecode();
  return code ? answer_of(code->data(), code->size()) : "m" + code.error().message;
}

Answer once(Engine engine, const oracle::Setting& setting, const std::string& filter) {
  static oracle::Reference libpcap;  // of the child: opening a handle is no part of compiling
  if (engine == Engine::LibpcapOptimized || engine == Engine::LibpcapPlain)
    return by_libpcap(libpcap, setting, filter, engine == Engine::LibpcapOptimized);
  Options options;
  options.link_type = setting.link_type;
  options.netmask = setting.netmask;
  options.linux_ext = setting.linux_ext;
  options.savefile = static_cast<Options::Savefile>(setting.savefile);
  options.optimize = engine == Engine::Weir;
  return by_weir(options, filter);
}

double processor_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// The time of one compilation, then its answer. The shortest of several: whatever else runs only adds.
std::string timed(Engine engine, const oracle::Setting& setting, const std::string& filter, double steady) {
  double shortest = 0, total = 0;
  Answer answer;
  for (int n = 0; n == 0 || (total < steady && n < 1000); ++n) {
    const double start = processor_seconds();
    answer = once(engine, setting, filter);
    const double took = processor_seconds() - start;
    total += took;
    if (shortest == 0 || (took > 0 && took < shortest)) shortest = took;  // a virtual machine's clock may stand still
  }
  std::string text(sizeof shortest, '\0');
  std::memcpy(text.data(), &shortest, sizeof shortest);
  return text + answer;
}

}  // namespace

Compiled compile(Engine engine, const oracle::Setting& setting, const std::string& filter, double most_seconds, double steady) {
  Compiled c;
  malloc_trim(0);  // what is free here would be used by the child and not be seen as more memory
  const auto result = in_child([&] { return timed(engine, setting, filter, steady); }, most_seconds);
  if (!result) {
    c.message = "not in time";
    return c;
  }
  c.ended = true;
  c.kilobytes = result->peak_kilobytes;
  std::memcpy(&c.seconds, result->text.data(), sizeof c.seconds);
  const std::string answer = result->text.substr(sizeof c.seconds);
  if (answer[0] == 'm') {
    c.message = answer.substr(1);
    return c;
  }
  c.program.emplace();
  c.program->instructions.resize((answer.size() - 1) / sizeof(cbpf::Instruction));
  std::memcpy(c.program->instructions.data(), answer.data() + 1, answer.size() - 1);
  return c;
}

bool compile_here(Engine engine, const oracle::Setting& setting, const std::string& filter, std::size_t times) {
  bool compiles = true;
  for (std::size_t n = 0; n < times; ++n) compiles &= once(engine, setting, filter)[0] == 'p';
  return compiles;
}

std::size_t Trace::add(const cbpf::Program& program, const std::string& aim) {
  if (aims_.empty() || aims_.back().first != aim) {
    oracle::Reference libpcap;
    oracle::Random random(1);
    const auto meaning = libpcap.compile(setting_, aim);
    auto packets = meaning ? aimed_packets(model_, setting_, *meaning, aimed_pool, random) : std::vector<oracle::Sample>();
    aims_.emplace_back(aim, std::make_unique<std::vector<oracle::Sample>>(std::move(packets)));
  }
  runners_.push_back({&program, aims_.back().second.get()});
  return runners_.size() - 1;
}

void Trace::pass(Runner& runner, const std::vector<oracle::Sample>& block) const {
  const vm::Machine machine = setting_.linux_ext ? vm::Machine::Kernel : vm::Machine::Libpcap;
  const std::size_t aimed = runner.aimed->empty() ? 0 : block.size() * model_.aimed_percent() / 100;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const oracle::Sample& s = i < aimed ? (*runner.aimed)[i % runner.aimed->size()] : block[i];
    std::uint64_t steps = 0;
    vm::run(*runner.program, s.whole(), machine, &steps);
    runner.steps += steps;
  }
  runner.packets += block.size();
}

std::vector<Executed> Trace::run(std::uint64_t most_steps) {
  oracle::Random random(2);
  std::vector<oracle::Sample> block;
  for (std::uint64_t made = 0; made < packets_; made += block.size()) {
    block.clear();
    while (block.size() < std::min<std::uint64_t>(block_size, packets_ - made)) block.push_back(packet(model_, setting_, random));
    for (Runner& runner : runners_)
      if (runner.steps < most_steps) pass(runner, block);
  }
  std::vector<Executed> results;
  for (const Runner& r : runners_)
    results.push_back({static_cast<double>(r.steps) / static_cast<double>(std::max<std::uint64_t>(1, r.packets)), r.packets});
  return results;
}

}  // namespace weir::bench
