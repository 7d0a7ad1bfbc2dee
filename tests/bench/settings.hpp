// What the programs of this folder are told on their command lines.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

/// By name, without the two minus signs. What has a number at first takes numbers.
class Settings {
 public:
  /// `usage`: what --help prints. `flags` take no value.
  Settings(std::string_view program, std::string_view usage, std::map<std::string, std::string> at_first, std::vector<std::string> flags = {});

  /// Takes the words of a command line: `--name value` and `--flag`. The exit status where the program ends with that: for --help, and
  /// for what is none of these, which is named.
  std::optional<int> read(int argc, char** argv);

  const std::string& at(const std::string& name) const { return values_.at(name); }
  bool has(const std::string& name) const { return !at(name).empty(); }
  double number(const std::string& name) const;
  std::size_t count(const std::string& name) const { return static_cast<std::size_t>(number(name)); }

 private:
  std::optional<std::string> complaint(const std::string& name, const std::optional<std::string>& value) const;

  std::string_view program_, usage_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> flags_;
};

/// The exit status of a program that prints: 1, with a word about it, where that cannot be written.
int printed(std::string_view program, const std::function<int()>& run);

}  // namespace weir::bench
