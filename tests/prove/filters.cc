#include "filters.hpp"

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "resolver.hpp"

namespace weir::proofs {
namespace {

using nlohmann::json;

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  return lines;
}

std::vector<std::string> strings(const json& j, const char* key) {
  return j.contains(key) ? j[key].get<std::vector<std::string>>() : std::vector<std::string>();
}

oracle::Setting setting_of(const json& j) {
  oracle::Setting s;
  s.link_type = j.value("linktype", "EN10MB");
  s.snaplen = j.value("snaplen", 262144u);
  if (j.contains("netmask") && !j["netmask"].is_null())
    s.netmask = oracle::read_netmask(j["netmask"].get<std::string>()).value_or(0);
  s.linux_ext = j.value("linux_ext", false);
  if (j.contains("savefile") && !j["savefile"].is_null())
    s.savefile = j["savefile"] == "native" ? oracle::Savefile::Native : oracle::Savefile::Swapped;
  return s;
}

cbpf::Program program_of(const json& j) {
  cbpf::Program p;
  for (const json& i : j)
    p.instructions.push_back({i[0].get<std::uint16_t>(), i[1].get<std::uint8_t>(), i[2].get<std::uint8_t>(), i[3].get<std::uint32_t>()});
  return p;
}

/// A line `DLT<tab>FILTER`, or a filter for Ethernet; the DLT may have other words of a setting behind it.
Subject subject_of_line(const std::string& line, const std::filesystem::path& path) {
  Subject s{{}, line, path.filename(), {}, {}};
  const std::size_t tab = line.find('\t');
  if (tab == std::string::npos) return s;
  s.setting = oracle::read_setting(line.substr(0, tab));
  s.filter = line.substr(tab + 1);
  return s;
}

}  // namespace

std::vector<Subject> corpus(const std::filesystem::path& folder) {
  const std::shared_ptr<const names::Names> names = names::system_names();
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".txt" && !entry.path().stem().string().starts_with("refused")) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<Subject> all;
  for (const auto& file : files)
    for (const std::string& line : lines_of(file)) {
      all.push_back(subject_of_line(line, file));
      all.back().names = names;
    }
  return all;
}

std::vector<Subject> conformance(const std::filesystem::path& folder) {
  std::vector<Subject> all;
  if (!std::filesystem::exists(folder / "accept.jsonl")) return all;
  const json tables = json::parse(std::ifstream(folder / "names.json"));
  const std::shared_ptr<const names::Names> names = names::fixed_names(
      {.hosts = strings(tables, "hosts"), .ethers = strings(tables, "ethers"), .networks = strings(tables, "networks"),
       .services = strings(tables, "services"), .protocols = strings(tables, "protocols")}, names::system_names());
  for (const std::string& line : lines_of(folder / "accept.jsonl")) {
    const json j = json::parse(line);
    for (const std::string& filter : strings(j, "filters")) all.push_back({setting_of(j), filter, "accept.jsonl", names, program_of(j["program"])});
  }
  for (const char* file : {"wild.txt", "triggers.txt"})
    for (const std::string& line : lines_of(folder / file)) {
      all.push_back(subject_of_line(line, file));
      all.back().names = names;
    }
  return all;
}

}  // namespace weir::proofs
