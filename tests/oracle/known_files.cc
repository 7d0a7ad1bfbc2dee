#include "known_files.hpp"

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

namespace weir::oracle {
namespace {

using nlohmann::json;

/// An unknown netmask is null; what is no netmask counts as none of its bits.
std::optional<std::uint32_t> netmask_of(const json& j) {
  if (j.is_null()) return std::nullopt;
  return read_netmask(j.get<std::string>()).value_or(0);
}

}  // namespace

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

std::vector<std::filesystem::path> themes(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto& path = entry.path();
    if (path.extension() == ".txt" && !path.stem().string().starts_with("refused")) files.push_back(path);
  }
  std::ranges::sort(files);
  return files;
}

Written written_in(const std::string& line) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string::npos) return {{}, line};
  return {read_setting(line.substr(0, tab)), line.substr(tab + 1)};
}

std::vector<std::string> strings(const json& row, const char* key) {
  return row.contains(key) ? row[key].get<std::vector<std::string>>() : std::vector<std::string>();
}

Setting setting_of(const json& row) {
  Setting s;
  s.link_type = row.value("linktype", "EN10MB");
  s.snaplen = row.value("snaplen", 262144u);
  if (row.contains("netmask")) s.netmask = netmask_of(row["netmask"]);
  s.linux_ext = row.value("linux_ext", false);
  if (row.contains("savefile") && !row["savefile"].is_null())
    s.savefile = row["savefile"] == "native" ? Savefile::Native : Savefile::Swapped;
  return s;
}

cbpf::Program program_of(const json& instructions) {
  cbpf::Program p;
  for (const json& i : instructions)
    p.instructions.push_back({i[0].get<std::uint16_t>(), i[1].get<std::uint8_t>(), i[2].get<std::uint8_t>(), i[3].get<std::uint32_t>()});
  return p;
}

std::unique_ptr<names::Names> names_of_conformance(const std::filesystem::path& directory, std::shared_ptr<const names::Names> fallback) {
  if (!std::filesystem::exists(directory / "names.json")) return names::fixed_names({}, std::move(fallback));
  const json tables = json::parse(std::ifstream(directory / "names.json"));
  const names::FixedTables fixed{.hosts = strings(tables, "hosts"),
                                 .ethers = strings(tables, "ethers"),
                                 .networks = strings(tables, "networks"),
                                 .services = strings(tables, "services"),
                                 .protocols = strings(tables, "protocols")};
  return names::fixed_names(fixed, std::move(fallback));
}

}  // namespace weir::oracle
