// Reads programs in the notation of the kernel's verifier, bpftool and llvm-objdump: the inverse of print.cc. Tested by
// tests/unit/ebpf/text_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ebpf/read_line.hpp"

namespace weir::ebpf {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Program> run() {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', at), text_.size());
      read_line(text_.substr(at, end - at), static_cast<std::uint32_t>(at));
      if (problem_) return std::unexpected(*problem_);
      at = end + 1;
    }
    for (const Jump& jump : jumps_)
      if (!resolve(jump)) return std::unexpected(*problem_);
    if (program_.instructions.empty()) return fail(Code::Input, {}, "the text has no instructions");
    return std::move(program_);
  }

 private:
  struct Jump {
    std::size_t from;
    Token name;
  };

  /// Behind `;` comes what the program was made from.
  void read_line(std::string_view text, std::uint32_t offset) {
    Line line(text.substr(0, text.find(';')), offset);
    if (const auto label = line.label()) labels_.insert_or_assign(label->text, program_.instructions.size());
    if (line.at_end() || line.problem()) return;
    const std::uint32_t begin = line.begin().begin;
    Token target;
    const auto made = line.statement(target);
    if ((problem_ = line.problem())) return;
    if (target.kind == Token::Kind::Word) jumps_.push_back({program_.instructions.size(), target});
    const std::string_view kept = text.substr(0, text.find(';'));
    const auto last = kept.find_last_not_of(" \t\r");
    for (const Instruction& i : made) {
      program_.instructions.push_back(i);
      program_.spans.push_back({begin, static_cast<std::uint32_t>(offset + last + 1)});
    }
  }

  bool resolve(const Jump& jump) {
    const auto to = labels_.find(jump.name.text);
    Instruction& i = program_.instructions[jump.from];
    if (to == labels_.end()) {
      problem_ = Diagnostic{Code::Input, jump.name.span, fmt::format("there is no label '{}'", jump.name.text),
                            "a label is a name and a colon before an instruction"};
      return false;
    }
    const auto distance = static_cast<std::int64_t>(to->second) - static_cast<std::int64_t>(jump.from) - 1;
    const bool far = is_call(i) || class_of(i) == op::JMP32;
    const bool is_far_jump = far && !is_conditional(i);
    if (is_far_jump) i.imm = static_cast<std::int32_t>(distance);
    else if (distance == static_cast<std::int16_t>(distance)) i.offset = static_cast<std::int16_t>(distance);
    else
      problem_ = Diagnostic{Code::Input, jump.name.span,
                            fmt::format("'{}' is {} instructions away, farther than a jump reaches", jump.name.text, distance),
                            "gotol reaches farther"};
    return !problem_;
  }

  std::string_view text_;
  Program program_;
  std::map<std::string_view, std::size_t> labels_;
  std::vector<Jump> jumps_;
  std::optional<Diagnostic> problem_;
};

}  // namespace

Result<Program> read_text(std::string_view text) { return Reader(text).run(); }

}  // namespace weir::ebpf
