// Commands and their options, as CLI11 reads them. No other file knows CLI11, whose templates take long to compile.
#include "cli/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iterator>

#include "base/spelling.hpp"
#include "cli/contradictions.hpp"
#include "cli/help_texts.hpp"
#include "cli/hook_options.hpp"
#include "cli/suggestion.hpp"
#include "cli/tcpdump_options.hpp"
#include "cli/values.hpp"

namespace weir::cli {
namespace {

/// What CLI11 would take apart in words of an expression: `[1,2]`, which it splits at commas, and `++`, which ends
/// a subcommand. A space behind them prevents it, and means nothing in an expression.
bool would_be_taken_apart(std::string_view word) {
  return word == "++" || (word.starts_with('[') && word.ends_with(']'));
}

std::vector<std::string> protect(std::vector<std::string> arguments) {
  for (auto& word : arguments) {
    if (would_be_taken_apart(word)) word += ' ';
  }
  std::ranges::reverse(arguments);  // the order in which CLI11 takes them
  return arguments;
}

/// A file name is not to have such a space.
std::string as_given(std::string word) {
  if (word.ends_with(' ') && would_be_taken_apart(std::string_view(word).substr(0, word.size() - 1))) word.pop_back();
  return word;
}

/// An option that takes a file name.
template <class Place>
CLI::Option* add_file(CLI::App& command, const std::string& name, Place& place, const std::string& about) {
  const auto take = [&](const std::string& word) { place = as_given(word); };
  return command.add_option_function<std::string>(name, take, about)->type_name("FILE");
}

/// The same that may be there several times.
void add_files(CLI::App& command, const std::string& name, std::vector<std::string>& place, const std::string& about) {
  const auto take = [&](const std::vector<std::string>& words) { std::ranges::transform(words, std::back_inserter(place), as_given); };
  command.add_option_function<std::vector<std::string>>(name, take, about)
      ->type_name("FILE")->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

/// Puts a value where it belongs, or makes CLI11 report what is wrong with it.
template <class T, class Place>
void store(Value<T> value, Place& place) {
  if (!value) throw CLI::ValidationError(value.error());
  place = std::move(*value);
}

void add_expression(CLI::App& command, Expression& expression) {
  command.add_option("EXPR", expression.words,
                     "Filter expression; its words are joined with spaces, none keep all packets")->type_name("");
  add_file(command, "-F", expression.file, "Read the expression from FILE (-: standard input)");
}

/// What a program is for, where no file or interface says so.
void add_target(CLI::App& command, Options& options) {
  command.add_option_function<std::string>(
      "-y,--linktype", [&](const std::string& word) { store(parse_link_type(word), options.link_type); },
      "Link type of the packets: see `weir list linktypes` (default: EN10MB)")->type_name("LINKTYPE");
  command.add_option_function<std::string>(
      "-s,--snapshot-length", [&](const std::string& word) { store(parse_snaplen(word), options.snaplen); },
      "How many bytes to keep of a packet that matches (default: 262144)")->type_name("SNAPLEN");
  command.add_flag("--linux-ext", options.linux_ext, "Use what the kernel knows of a packet, as for a live capture");
  command.add_flag("--cooked", options.cooked, "For a socket without link-layer headers, with -y LINUX_SLL or LINUX_SLL2");
  command.add_option_function<std::string>(
      "--savefile", [&](const std::string& word) { store(parse_savefile(word), options.savefile); },
      "For a savefile from a host of native or swapped byte order")->type_name("ORDER");
}

void add_compiling(CLI::App& command, Options& options) {
  command.add_option_function<std::string>(
      "-m", [&](const std::string& word) { store(parse_netmask(word), options.netmask); },
      "IPv4 netmask of the network, for `ip broadcast`")->type_name("NETMASK");
  command.add_flag_callback("-O,--no-optimize", [&] { options.optimize = false; }, "Do not optimize the program");
  command.add_flag("--strict", options.strict, "Refuse a filter that can match nothing, or matches everything");
}

/// Not shown: hands used to tcpdump type them.
void add_needless(CLI::App& command) {
  for (const char* name : needless_options) command.add_flag(name)->group("");
}

void add_timeout(CLI::App& command, double& seconds) {
  command.add_option_function<std::string>(
      "--timeout", [&](const std::string& word) { store(parse_seconds(word), seconds); },
      "How long to look for a proof (default: 60)")->type_name("SECONDS");
}

void add_hook(CLI::App& command, HookWords& words) {
  command
      .add_option("--hook", words.hook,
                  "Where the eBPF program of --emit=ebpf, ebpf-object or json is to run: " +
                      fmt::format("{}", fmt::join(hook_names(), ", ")))
      ->type_name("HOOK");
  command
      .add_option("--match", words.match, "What it returns for a packet that matches: pass, drop, next, tx, aborted, or a number")
      ->type_name("ACTION");
  command.add_option("--no-match", words.no_match, "What it returns for any other packet")->type_name("ACTION");
  command.add_option("--maps", words.maps, "Lists of N entries and more are maps (default: those that are faster so)")->type_name("N");
}

CLI::App* add_compile(CLI::App& program, CompileCommand& c, HookWords& hook) {
  auto& command = *program.add_subcommand("compile", compile_about);
  command.footer(compile_examples);
  add_expression(command, c.expression);
  add_hook(command, hook);
  command.add_option_function<std::string>(
      "--emit", [&](const std::string& word) {
        if (word.starts_with(pass_prefix)) store(parse_pass(word), c.pass);
        else store(parse_emit(word), c.emit);
      },
      "What to print: " + emit_names())->type_name("KIND");
  command.add_option_function<std::string>(
      "--cpu", [&](const std::string& word) { store(parse_cpu(word), c.cpu); },
      "CPU of --emit=native: x86-64 or aarch64 (default: this one)")->type_name("CPU");
  command.add_flag_function("-d", [&](std::int64_t times) {
    c.emit = times == 1 ? Emit::Listing : times == 2 ? Emit::CArray : Emit::Decimal;
  }, "Print a listing (the default); -dd: a C array, -ddd: decimal numbers; all as tcpdump does");
  add_file(command, "--from", c.from,
           "Instead of an expression, take the program in FILE (-: standard input): as -ddd prints it, or in the syntax of bpf_asm");
  command.add_option_function<std::string>(
      "--machine", [&](const std::string& word) { store(parse_machine(word), c.options.machine); },
      "What the program of --from was made for, where it matters: libpcap or kernel")->type_name("MACHINE");
  add_target(command, c.options);
  add_compiling(command, c.options);
  command.add_flag("--check", c.check, "Prove that the program does what the expression says before printing it");
  add_timeout(command, c.seconds);
  add_needless(command);
  add_file(command, "-o", c.output, "Write to FILE instead of standard output");
  return &command;
}

CLI::App* add_filter(CLI::App& program, FilterCommand& c) {
  auto& command = *program.add_subcommand("filter", filter_about);
  command.footer(filter_examples);
  add_expression(command, c.expression);
  add_files(command, "-r", c.inputs, "Savefile to read (-: standard input); several are read one after the other");
  add_file(command, "-V", c.list, "Read the savefiles, too, that FILE names, each on a line (-: standard input)");
  add_file(command, "-w", c.output, "Write the packets to this savefile (-: standard output)");
  command.add_flag("--invert", c.invert, "Keep the packets that do not match");
  command.add_flag("--count", c.count, "Print only how many packets are kept");
  command.add_option_function<std::string>(
      "-c", [&](const std::string& word) { store(parse_packet_count(word), c.limit); },
      "Stop after N packets that are kept")->type_name("N");
  command.add_option_function<std::string>(
      "-y,--linktype", [&](const std::string& word) { store(parse_link_type(word), c.link_type); },
      "Refuse a file that has another link type")->type_name("LINKTYPE");
  add_compiling(command, c.options);
  add_needless(command);
  return &command;
}

CLI::App* add_capture(CLI::App& program, CaptureCommand& c) {
  auto& command = *program.add_subcommand("capture", capture_about);
  command.footer(capture_examples);
  add_expression(command, c.expression);
  command.add_option("-i,--interface", c.interface, "Interface to capture on, or any: see `weir list interfaces`")->type_name("IFACE");
  add_file(command, "-w", c.output, "Write the packets to this savefile (-: standard output)");
  command.add_option_function<std::string>(
      "-c", [&](const std::string& word) { store(parse_packet_count(word), c.limit); },
      "Stop after N packets")->type_name("N");
  command.add_option_function<std::string>(
      "-s,--snapshot-length", [&](const std::string& word) { store(parse_snaplen(word), c.options.snaplen); },
      "How many bytes to keep of each packet (default: 262144)")->type_name("SNAPLEN");
  command.add_flag_callback("-p,--no-promiscuous-mode", [&] { c.promiscuous = false; },
                            "Leave the interface as it is: only what is meant for this host arrives");
  command.add_option_function<std::string>(
      "-y,--linktype", [&](const std::string& word) { store(parse_link_type(word), c.link_type); },
      "Refuse an interface that has another link type")->type_name("LINKTYPE");
  add_compiling(command, c.options);
  add_needless(command);
  return &command;
}

CLI::App* add_attach(CLI::App& program, AttachCommand& c, HookWords& hook) {
  auto& command = *program.add_subcommand("attach", attach_about);
  command.footer(attach_examples);
  add_expression(command, c.expression);
  command.add_option("-i,--interface", c.where, "Interface; or the folder of a control group, or the name of a tracepoint")
      ->type_name("WHERE");
  command.add_option("--hook", hook.hook, "Where: xdp (the default), tc-ingress, tc-egress, cgroup, tracing, tracing-btf")
      ->type_name("HOOK");
  command.add_option("--match", hook.match, "What happens to a packet that matches: pass, drop, next, tx, aborted, or a number")
      ->type_name("ACTION");
  command.add_option("--no-match", hook.no_match, "What happens to any other packet")->type_name("ACTION");
  command.add_option_function<std::string>(
      "--mode", [&](const std::string& word) { store(parse_xdp_mode(word), c.attach.xdp_mode); },
      "XDP: native or generic (default: native where the driver can)")->type_name("MODE");
  command.add_flag_callback(
      "--egress", [&] { c.attach.direction = AttachOptions::Direction::Egress; },
      "Control groups: what its processes send, not what they get");
  command.add_flag("--live", c.attach.live, "Change lists while it runs: lines `add ADDRESS` and `remove ADDRESS` on standard input");
  add_file(command, "--pin", c.attach.pin, "Leave the program there, kept by FILE in /sys/fs/bpf");
  add_compiling(command, c.options);
  return &command;
}

CLI::App* add_prove(CLI::App& program, ProveCommand& c) {
  auto& command = *program.add_subcommand("prove", prove_about);
  command.footer(prove_examples);
  command.add_option("EXPR", c.filters, "One or two filter expressions, each one argument")->type_name("");
  command.add_option("-F", c.files, "Read a filter from FILE (-: standard input), and the other from a second -F or from EXPR")
      ->type_name("FILE")->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_file(command, "--bytecode", c.bytecode, "Compare the filter with this program, as `tcpdump -ddd` prints it (-: standard input)");
  command.add_flag_callback("--exact", [&] { c.agreement = ProveCommand::Agreement::Exact; },
                            "Also of packets that are cut off, at every length");
  command.add_flag_callback("--refines", [&] { c.agreement = ProveCommand::Agreement::Refines; },
                            "The second may accept cut packets that the first would accept whole");
  command.add_option_function<std::string>(
      "--machine", [&](const std::string& word) { store(parse_machines(word), c.machines); },
      "Run programs as libpcap does, as the kernel does, or both (the default)")->type_name("MACHINE");
  add_timeout(command, c.seconds);
  add_file(command, "-w", c.output, "Write the packet that tells them apart to this savefile (-: standard output)");
  add_target(command, c.options);
  add_compiling(command, c.options);
  return &command;
}

CLI::App* add_run(CLI::App& program, RunCommand& c) {
  auto& command = *program.add_subcommand("run", run_about);
  command.footer(run_examples);
  add_expression(command, c.expression);
  add_file(command, "--ebpf", c.ebpf,
           "Run the eBPF program in FILE (-: standard input): as bpftool prints it, its bytes, or an ELF object");
  add_file(command, "--cbpf", c.cbpf,
           "Run the classic BPF program in FILE (-: standard input): as -ddd prints it, or in the syntax of bpf_asm");
  command.add_option("--program", c.program, "Which program of an ELF object")->type_name("NAME");
  command.add_option_function<std::string>(
      "--hook", [&](const std::string& word) { store(parse_hook_name(word), c.hook); },
      "Where an eBPF program would run: " + fmt::format("{}", fmt::join(hook_names(), ", ")))->type_name("HOOK");
  command.add_option("--packet", c.packets, "Bytes of a packet in hexadecimal, or a savefile with packets (-: standard input)")
      ->type_name("HEX|FILE")->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_flag("--trace", c.trace, "Print each instruction with the registers that it changes, and the words it is for");
  command.add_option_function<std::string>(
      "--linear", [&](const std::string& word) { store(parse_bytes("--linear", word), c.run.linear); },
      "eBPF: only so many bytes of a packet are in one piece, the rest in others")->type_name("N");
  command.add_option_function<std::string>(
      "--network", [&](const std::string& word) { store(parse_bytes("--network", word), c.run.network_header); },
      "eBPF: where the network header begins (default: 14)")->type_name("N");
  command.add_option_function<std::string>(
      "--meta", [&](const std::string& word) { store(parse_metadata(c.metadata, word), c.metadata); },
      "What the kernel knows of each packet: NAME=NUMBER,… of protocol, type, ifindex, vlan, vlan-protocol")->type_name("LIST");
  command.add_option_function<std::string>(
      "--machine", [&](const std::string& word) { store(parse_machine(word), c.run.machine); },
      "Classic BPF: run it as the kernel does (the default), or as libpcap")->type_name("MACHINE");
  add_target(command, c.options);
  add_compiling(command, c.options);
  return &command;
}

CLI::App* add_list(CLI::App& program, ListCommand& c) {
  auto& command = *program.add_subcommand("list", list_about);
  command.footer(list_examples);
  command.add_option_function<std::string>(
      "WHAT", [&](const std::string& word) { store(parse_listed(word), c.what); },
      "linktypes: name, DLT number, description, what filters can ask for; "
      "interfaces: name, link type, state, addresses; keywords: the words of the language")->type_name("");
  return &command;
}

/// Everything behind `--` is a word of the expression.
std::vector<std::string> split_off_words(std::vector<std::string>& arguments) {
  const auto mark = std::ranges::find(arguments, "--");
  if (mark == arguments.end()) return {};
  std::vector<std::string> words(std::move_iterator(mark + 1), std::move_iterator(arguments.end()));
  arguments.erase(mark, arguments.end());
  return words;
}

NoCommand wrong_use(const CLI::App& program, const std::string& what) {
  const auto chosen = program.get_subcommands();
  const auto command = chosen.empty() ? "weir" : "weir " + chosen.front()->get_name();
  return {true, fmt::format("{}\n  hint: {} --help shows how it is used", what, command)};
}

bool is_for_the_program(std::string_view word) { return word == "-h" || word == "--help" || word == "--version"; }

/// Words that begin like a command, or are as long as one and differ little, are taken for a misspelt one.
bool is_misspelt(std::string_view word, std::string_view command) {
  return word.size() >= 3 && !word.starts_with('-') && (command.starts_with(word) || distance(word, command) <= 2);
}

/// CLI11 would only say that one is required.
std::optional<NoCommand> no_command(const CLI::App& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const auto* command : program.get_subcommands({})) names.push_back(command->get_name());
  if (arguments.empty()) {
    return wrong_use(program, fmt::format("a command is missing: one of {}", fmt::join(names, ", ")));
  }
  const auto& first = arguments.front();
  if (is_for_the_program(first) || std::ranges::find(names, first) != names.end()) return std::nullopt;
  const auto meant = std::ranges::find_if(names, [&](const auto& name) { return is_misspelt(first, name); });
  auto what = first.starts_with('-') ? fmt::format("a command is missing before {}", first) : fmt::format("'{}' is no command", first);
  if (meant != names.end()) return wrong_use(program, fmt::format("{}; did you mean {}?", what, *meant));
  if (first == "help" || first == "version") return wrong_use(program, fmt::format("{}; did you mean --{}?", what, first));
  return NoCommand{true, fmt::format("{}; there are {}\n  hint: did you mean {}?", what, fmt::join(names, ", "),
                                     suggested_command(arguments))};
}

std::unexpected<NoCommand> wrong(const CLI::App& program, const std::string& what) {
  return std::unexpected(wrong_use(program, what));
}

/// With the name that was meant, where one is near.
std::string has_no_option(const CLI::App& command, const std::string& option) {
  const auto what = fmt::format("weir {} has no option {}", command.get_name(), option);
  for (const auto* known : command.get_options())
    for (const auto& name : known->get_lnames())
      if (distance(option, "--" + name) <= 2) return fmt::format("{}; did you mean --{}?", what, name);
  return what;
}

/// What CLI11 minds, in our words where its own are hard to read.
std::string complaint(const CLI::App& command, const CLI::ParseError& error) {
  const std::string what = error.what();
  constexpr std::string_view unexpected = "The following argument was not expected: ";
  if (what.starts_with(unexpected)) {
    const auto option = what.substr(unexpected.size(), what.find('=') - unexpected.size());
    if (option == "-")
      return "a letter that stands for yes or no takes no value: leave out " + what.substr(unexpected.size() + 1);  // `-d=2`
    if (option.starts_with('-')) return has_no_option(command, option);
  }
  const auto name = what.substr(0, what.find_first_of(": "));
  if (what.find("At Most 1 required") != what.npos) return fmt::format("{} may be there only once", name);
  if (what.find("disallowed flag override") != what.npos) return fmt::format("--{} takes no value", name);
  constexpr std::string_view missing = ": 1 required ";
  if (const auto at = what.find(missing); at != what.npos) {
    const auto begin = at + missing.size();
    return fmt::format("{} must be followed by a value: {}", name, what.substr(begin, what.rfind(" missing") - begin));
  }
  return what;
}

/// What CLI11 minds; where it may be an option of tcpdump, that.
NoCommand wrong_option(const CLI::App& program, const std::vector<std::string>& arguments, const CLI::ParseError& error) {
  const auto chosen = program.get_subcommands();
  const auto* command = chosen.empty() ? &program : chosen.front();
  const auto has_option = [&](const std::string& name) { return command->get_option_no_throw(name) != nullptr; };
  const auto foreign = first_foreign_option(arguments, has_option);
  if (!foreign) return wrong_use(program, complaint(*command, error));
  return {true, fmt::format("weir {} has no option {}\n  hint: {}", command->get_name(), foreign->option, foreign->advice)};
}

/// Which options a command was given.
Given given_to(const CLI::App& command) {
  return [&command](const char* option) { return command.count(option) != 0; };
}

/// CLI11 would take the next word for the value of `--maps=`.
std::optional<std::string> option_without_value(const std::vector<std::string>& arguments) {
  const auto found = std::ranges::find_if(arguments, [](const std::string& word) { return word.starts_with("--") && word.ends_with('='); });
  if (found == arguments.end()) return std::nullopt;
  return fmt::format("no value behind {}", *found);
}

/// `-d2` CLI11 would take for `-d` and the word `-2`. Only `weir compile` has the letter.
bool is_numbered_listing(std::string_view word) {
  const auto behind = word.find_first_not_of('d', 1);
  return word.starts_with("-d") && behind != word.npos && (word[behind] == '=' || ('0' <= word[behind] && word[behind] <= '9'));
}

/// Has CLI11 fill in what the options of the program were added for.
std::expected<void, NoCommand> read_options(CLI::App& program, const std::vector<std::string>& arguments) {
  if (auto why = no_command(program, arguments)) return std::unexpected(std::move(*why));
  if (auto why = option_without_value(arguments)) return wrong(program, *why);
  if (const auto found = std::ranges::find_if(arguments, is_numbered_listing); arguments.front() == "compile" && found != arguments.end())
    return wrong(program, fmt::format("{}: the letter takes no number; -dd prints a C array, -ddd decimal numbers", *found));
  try {
    program.parse(protect(arguments));
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(NoCommand{false, program.help()});
  } catch (const CLI::CallForVersion& version) {
    return std::unexpected(NoCommand{false, std::string(version.what()) + "\n"});
  } catch (const CLI::ParseError& error) {
    return std::unexpected(wrong_option(program, arguments, error));
  }
  return {};
}

}  // namespace

std::expected<Command, NoCommand> parse_command_line(std::vector<std::string> arguments) {
  CLI::App program(program_about, "weir");
  program.footer(program_examples);
  program.set_version_flag("--version", "weir " WEIR_VERSION);
  program.require_subcommand(0, 1);  // one: the words behind it are not taken for others
  program.get_formatter()->column_width(34);
  CompileCommand compile;
  FilterCommand filter;
  CaptureCommand capture;
  ProveCommand prove;
  RunCommand run;
  ListCommand list;
  HookWords hook;
  AttachCommand attach;
  HookWords attach_hook;
  auto* compile_options = add_compile(program, compile, hook);
  auto* filter_options = add_filter(program, filter);
  auto* capture_options = add_capture(program, capture);
  auto* attach_options = add_attach(program, attach, attach_hook);
  auto* prove_options = add_prove(program, prove);
  auto* run_options = add_run(program, run);
  auto* list_options = add_list(program, list);

  for (auto* options : {compile_options, filter_options, capture_options, attach_options, prove_options, run_options})
    for (auto* option : options->get_options())
      if (option->get_expected_max() == 0) option->disable_flag_override();

  auto words = split_off_words(arguments);
  if (auto read = read_options(program, arguments); !read) return std::unexpected(read.error());
  const auto add_words_to = [&](std::vector<std::string>& those) { std::ranges::move(words, std::back_inserter(those)); };
  const auto unless = [&](const std::optional<std::string>& why, Command command) -> std::expected<Command, NoCommand> {
    if (why) return wrong(program, *why);
    return command;
  };
  if (*compile_options) {
    add_words_to(compile.expression.words);
    if (const auto why = complete(given_to(*compile_options), hook, compile)) return wrong(program, *why);
    return unless(contradiction(given_to(*compile_options), compile), compile);
  }
  if (*filter_options) {
    add_words_to(filter.expression.words);
    return unless(contradiction(filter), filter);
  }
  if (*capture_options) {
    add_words_to(capture.expression.words);
    return unless(contradiction(capture.expression), capture);
  }
  if (*attach_options) {
    add_words_to(attach.expression.words);
    const auto why = complete(given_to(*attach_options), attach_hook, attach);
    return unless(why, attach);
  }
  if (*prove_options) {
    add_words_to(prove.filters);
    return unless(contradiction(given_to(*prove_options), prove), prove);
  }
  if (*run_options) {
    add_words_to(run.expression.words);
    if (run.hook == Hook::Cgroup && !run_options->count("-y")) run.options.link_type = "RAW";
    return unless(contradiction(given_to(*run_options), run), run);
  }
  if (!*list_options) return wrong(program, "a command is missing");
  if (!words.empty()) return wrong(program, "list takes no expression");
  if (list.what == ListCommand::What::Nothing) return wrong(program, "say what to list: linktypes, interfaces or keywords");
  return list;
}

}  // namespace weir::cli
