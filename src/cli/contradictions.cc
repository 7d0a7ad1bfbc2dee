#include "cli/contradictions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace weir::cli {

std::optional<std::string> contradiction(const Expression& e) {
  if (e.file && !e.words.empty()) return "the expression comes from the command line or from -F FILE, not from both";
  return std::nullopt;
}

namespace {

/// A file that stands where the expression begins was meant to be read.
std::string no_savefile(const Expression& e) {
  constexpr std::string_view missing = "-r is required: the savefile to read";
  std::error_code ignored;
  const bool is_file = !e.words.empty() && std::filesystem::is_regular_file(e.words.front(), ignored);
  return is_file ? fmt::format("{}, as in -r {}", missing, e.words.front()) : std::string(missing);
}

bool is_ebpf(Emit emit) { return emit == Emit::Ebpf || emit == Emit::EbpfObject; }

}  // namespace

std::optional<std::string> complete(const Given& given, const HookWords& words, CompileCommand& c) {
  for (const char* option : {"--hook", "--match", "--no-match", "--maps"})
    if (given(option) && !is_ebpf(c.emit) && c.emit != Emit::Json) return fmt::format("{} is for --emit=ebpf, ebpf-object or json", option);
  if (!is_ebpf(c.emit) && !given("--hook")) {
    for (const char* option : {"--match", "--no-match", "--maps"})
      if (given(option)) return fmt::format("with --emit=json, {} wants a --hook", option);
    return std::nullopt;
  }
  const auto options = parse_hook(words);
  if (!options) return options.error();
  c.hook = *options;
  if (options->hook == Hook::Cgroup && !given("-y") && !c.from) c.options.link_type = "RAW";
  if (c.check && c.emit == Emit::EbpfObject) return "--check proves programs, not objects: try it with --emit=ebpf";
  if (c.check && (options->hook == Hook::Tracing || options->hook == Hook::TracingBtf))
    return "--check cannot prove programs for tracepoints";
  return std::nullopt;
}

std::optional<std::string> contradiction(const Given& given, const CompileCommand& c) {
  if (given("-d") && given("--emit")) return "-d and --emit both say what to print";
  if (!c.pass.empty() && !c.options.optimize) return fmt::format("-O turns off what --emit=ir:{} shows", c.pass);
  if (given("--cpu") && c.emit != Emit::Native) return "--cpu is for --emit=native";
  if (given("--timeout") && !c.check) return "--timeout is for --check";
  if (c.check && (c.emit == Emit::Ast || c.emit == Emit::Pred))
    return "--check proves what is made of a filter; --emit=ast and pred show what that is made of";
  if (given("--machine") && !c.from) return "--machine is for --from";
  if (!c.from) return contradiction(c.expression);
  if (c.expression.file || !c.expression.words.empty()) return "--from takes a program, and there is an expression, too";
  for (const char* option : {"-y", "-s", "-m", "--linux-ext", "--cooked", "--savefile"})
    if (given(option)) return fmt::format("{} is for expressions: a program of --from says by itself what it does", option);
  return std::nullopt;
}

std::optional<std::string> contradiction(const FilterCommand& c) {
  if (auto both = contradiction(c.expression)) return both;
  if (c.inputs.empty() && !c.list) return no_savefile(c.expression);
  const auto from_standard_input = std::ranges::count(c.inputs, "-");
  if (from_standard_input > 0 && c.expression.file == "-") return "-r and -F cannot both read standard input";
  if (from_standard_input + (c.list == "-" ? 1 : 0) + (c.expression.file == "-" ? 1 : 0) > 1) return "standard input can be read once only";
  if (c.count && c.output == "-") return "--count and -w - cannot both write to standard output";
  return std::nullopt;
}

std::optional<std::string> complete(const Given& given, HookWords words, AttachCommand& c) {
  if (c.where.empty()) return "-i is required: an interface, the folder of a control group, or the name of a tracepoint";
  if (words.hook.empty()) words.hook = "xdp";
  const auto options = parse_hook(words);
  if (!options) return options.error();
  c.attach.hook = options->hook;
  c.attach.match = options->match;
  c.attach.no_match = options->no_match;
  if (is_socket(options->hook)) return "a filter on a socket is for the program that has the socket: the library's Filter::attach()";
  if (given("--mode") && options->hook != Hook::Xdp) return "--mode is for --hook=xdp";
  if (given("--egress") && options->hook != Hook::Cgroup) return "--egress is for --hook=cgroup";
  if (c.attach.live && !c.attach.pin.empty()) return "with --pin nobody is there to read the changes of --live";
  if (c.attach.live && c.expression.file == "-") return "--live and -F cannot both read standard input";
  return contradiction(c.expression);
}

std::optional<std::string> contradiction(const Given& given, const ProveCommand& c) {
  if (given("--exact") && given("--refines")) return "--exact and --refines are two relations; only one can be proven at a time";
  const std::size_t filters = c.files.size() + c.filters.size();
  if (filters == 0 && c.bytecode) return "a filter is missing that the program of --bytecode is compared with";
  if (filters == 0) return "a filter is missing: prove takes one or two, each as one argument (in quotes) or with -F";
  if (filters > 2) return fmt::format("prove takes one or two filters, each as one argument (in quotes) or with -F, not {}", filters);
  if (filters == 2 && c.bytecode) return "with --bytecode there is one filter, not two";
  if (std::ranges::count(c.files, "-") + (c.bytecode == "-" ? 1 : 0) > 1) return "standard input can be read once only";
  return std::nullopt;
}

std::optional<std::string> contradiction(const Given& given, const RunCommand& c) {
  const bool of_others = c.ebpf || c.cbpf, has_expression = c.expression.file || !c.expression.words.empty();
  if (c.ebpf && c.cbpf) return "--ebpf and --cbpf both say what to run";
  if (of_others && has_expression) return fmt::format("{} takes a program, and there is an expression, too", c.ebpf ? "--ebpf" : "--cbpf");
  if (c.packets.empty()) return "--packet is required: what to run the program on";
  if (!c.program.empty() && !c.ebpf) return "--program is for objects of --ebpf";
  const bool is_classic = c.cbpf || (!c.ebpf && !c.hook);
  for (const char* option : {"--hook", "--linear", "--network"})
    if (is_classic && given(option)) return fmt::format("{} is for eBPF{}", option, c.cbpf ? "" : ": say where with --hook");
  if (!is_classic && given("--machine")) return "--machine is for classic BPF";
  const bool reads_program = c.ebpf == "-" || c.cbpf == "-" || c.expression.file == "-";
  if (std::ranges::count(c.packets, "-") + reads_program > 1) return "standard input can be read once only";
  for (const char* option : {"-y", "-s", "-m", "--linux-ext", "--cooked", "--savefile", "-O", "--strict"})
    if (of_others && given(option)) return fmt::format("{} is for expressions: a program says by itself what it does", option);
  return contradiction(c.expression);
}

}  // namespace weir::cli
