#include "cli/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/expression.hpp"
#include "weir/weir.hpp"

namespace weir::cli {
namespace {

using capture::Format;

std::string described(int dlt) {
  const auto known = find_link_type(dlt);
  return known ? std::string(known->name) : fmt::format("{}", dlt);
}

/// Link types whose packets hold numbers in the order of the host that wrote the file, which the reader does not turn.
constexpr std::string_view in_order_of_host[] = {"NULL", "ENC", "PFLOG"};

/// Why there is no format for packets of both; nothing: there is.
std::optional<Diagnostic> discord(const std::string& name, const Format& format, const std::string& other, const Format& its) {
  if (format.dlt != its.dlt) {
    return Diagnostic{.code = Code::LinkType,
                      .span = {},
                      .message = fmt::format("{} has link type {}, {} has {}: packets of one file have one link type", name,
                                             described(format.dlt), other, described(its.dlt)),
                      .hint = "filter them one by one, each into a file of its own"};
  }
  if (format.byte_order != its.byte_order && std::ranges::find(in_order_of_host, described(format.dlt)) != std::end(in_order_of_host)) {
    return Diagnostic{
        .code = Code::LinkType,
        .span = {},
        .message = fmt::format(
            "{} and {} come from hosts of different byte order, and packets of link type {} have numbers in that order", name,
            other, described(format.dlt)),
        .hint = "filter them one by one, each into a file of its own"};
  }
  return std::nullopt;
}

Format for_both(Format format, const Format& other) {
  if (other.precision == capture::Precision::Nano) format.precision = other.precision;
  // Flags beside the link type, such as the length of the check sequence, hold for both or are not said.
  if (format.file_link_type != other.file_link_type) format.file_link_type = capture::format_of(format.dlt, format.snaplen).file_link_type;
  format.snaplen = std::max(format.snaplen, other.snaplen);
  return format;
}

}  // namespace

Result<Inputs> Inputs::open(std::vector<std::string> paths) {
  if (std::ranges::count(paths, "-") > 1) return fail(Code::Input, {}, "standard input can be read once only");
  Inputs inputs;
  for (auto& path : paths) {
    if (auto looked = inputs.look_at(std::move(path), paths.size() == 1); !looked) return std::unexpected(looked.error());
  }
  return inputs;
}

Result<void> Inputs::look_at(std::string path, bool keep_open) {
  auto reader = capture::Reader::open(path);
  if (!reader) return std::unexpected(reader.error());
  Input input{std::move(path), reader->format(), reader->size(), std::nullopt};
  if (keep_open || !input.bytes) input.reader = std::move(*reader);
  inputs_.push_back(std::move(input));
  const Format& format = inputs_.back().format;
  if (inputs_.size() == 1) {
    common_ = format;
    return {};
  }
  if (auto why = discord(name(0), inputs_[0].format, name(inputs_.size() - 1), format)) return std::unexpected(std::move(*why));
  common_ = for_both(common_, format);
  return {};
}

std::string Inputs::name(std::size_t i) const { return inputs_[i].path == "-" ? "standard input" : inputs_[i].path; }

Result<capture::Reader> Inputs::reader(std::size_t i) {
  Input& input = inputs_[i];
  if (input.reader) return std::move(*input.reader);
  auto again = capture::Reader::open(input.path);
  if (again && again->format() != input.format) return fail(Code::Input, {}, fmt::format("{} has become another file meanwhile", name(i)));
  return again;
}

std::optional<std::uint64_t> Inputs::bytes() const {
  std::uint64_t sum = 0;
  for (const Input& input : inputs_) {
    if (!input.bytes) return std::nullopt;
    sum += *input.bytes;
  }
  return sum;
}

Result<std::vector<std::string>> read_paths(const std::string& file) {
  const auto text = text_of(Expression{.words = {}, .file = file});
  if (!text) return std::unexpected(text.error());
  std::vector<std::string> paths;
  for (std::string_view rest = text->text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) paths.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (paths.empty()) return fail(Code::Input, {}, fmt::format("{} names no file", text->file));
  return paths;
}

}  // namespace weir::cli
