// C texts of many graphs, compiled together into one shared object and loaded. Each keeps its own names, since in all of them
// `weir_` is replaced by a prefix that is nobody else's.
#pragma once
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/packet.hpp"
#include "ir/program.hpp"

namespace weir::compiled {

/// A function as C has it, with or without metadata.
class Function {
 public:
  Function(void* address, bool has_metadata) : address_(address), has_metadata_(has_metadata) {}
  std::uint32_t operator()(const Packet& packet) const;

 private:
  void* address_;
  bool has_metadata_;
};

/// A loaded shared object; functions live as long as it.
class Batch {
 public:
  /// The text of a graph as --emit=c prints it.
  void add(const std::string& text);
  std::size_t size() const { return has_metadata_.size(); }

  /// Compiles with a command, such as `cc`, and loads. The error is what the compiler said.
  std::expected<std::vector<Function>, std::string> load(const std::string& compiler, const std::filesystem::path& folder);

 private:
  struct Close {
    void operator()(void* handle) const;
  };
  std::string text_;
  std::vector<bool> has_metadata_;
  std::unique_ptr<void, Close> handle_;
};

}  // namespace weir::compiled
