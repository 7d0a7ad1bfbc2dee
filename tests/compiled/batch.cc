#include "batch.hpp"

#include <dlfcn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace weir::compiled {
namespace {

/// As the text declares it.
struct CMetadata {
  std::uint32_t protocol, packet_type, interface_index, vlan_tag, vlan_tag_present, vlan_protocol;
};

constexpr const char* flags = "-std=c99 -Wall -Wextra -Wconversion -pedantic -Werror -O1 -shared -fPIC";

std::string with_prefix(const std::string& text, const std::string& prefix) {
  constexpr std::string_view name = "weir_";
  std::string result;
  std::size_t from = 0;
  for (std::size_t at; (at = text.find(name, from)) != text.npos; from = at + name.size())
    result.append(text, from, at - from).append(prefix);
  return result.append(text, from);
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

std::uint32_t Function::operator()(const Packet& packet) const {
  const auto& m = packet.meta;
  const CMetadata metadata{m.protocol, m.packet_type, m.interface_index, m.vlan_tag, m.vlan_tag_present, m.vlan_protocol};
  using Plain = std::uint32_t (*)(const std::uint8_t*, std::size_t, std::uint32_t);
  using Knowing = std::uint32_t (*)(const std::uint8_t*, std::size_t, std::uint32_t, const CMetadata*);
  // A copy that ends where the captured bytes end, so that the sanitizers see who reads on.
  const std::vector<std::uint8_t> bytes(packet.bytes.begin(), packet.bytes.end());
  if (has_metadata_) return reinterpret_cast<Knowing>(address_)(bytes.data(), bytes.size(), packet.length, &metadata);
  return reinterpret_cast<Plain>(address_)(bytes.data(), bytes.size(), packet.length);
}

void Batch::Close::operator()(void* handle) const { dlclose(handle); }

void Batch::add(const std::string& text) {
  text_ += with_prefix(text, fmt::format("f{}_", size())) + "\n";
  has_metadata_.push_back(text.find("struct weir_metadata {") != text.npos);
}

std::expected<std::vector<Function>, std::string> Batch::load(const std::string& compiler, const std::filesystem::path& folder) {
  const auto source = folder / "batch.c", object = folder / "batch.so", messages = folder / "messages";
  std::ofstream(source) << text_;
  const int status = std::system(
      fmt::format("{} {} -o {} {} >{} 2>&1", compiler, flags, object.native(), source.native(), messages.native()).c_str());
  const std::string said = contents(messages);
  if (status != 0 || !said.empty()) return std::unexpected(said.substr(0, 4000));
  handle_.reset(dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL));
  std::filesystem::remove(object);
  if (!handle_) return std::unexpected(dlerror());
  std::vector<Function> functions;
  for (std::size_t n = 0; n < size(); ++n)
    functions.emplace_back(dlsym(handle_.get(), fmt::format("f{}_filter", n).c_str()), has_metadata_[n]);
  return functions;
}

}  // namespace weir::compiled
