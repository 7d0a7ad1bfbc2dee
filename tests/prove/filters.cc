#include "filters.hpp"

#include <nlohmann/json.hpp>

#include "known_files.hpp"

namespace weir::proofs {
namespace {

using Names = std::shared_ptr<const names::Names>;

/// Comments begin with `#`.
void add_lines(std::vector<Subject>& to, const std::filesystem::path& file, const Names& names) {
  for (const std::string& line : oracle::lines_of(file)) {
    if (line[0] == '#') continue;
    auto [setting, filter] = oracle::written_in(line);
    to.push_back({std::move(setting), std::move(filter), file.filename(), names, {}});
  }
}

}  // namespace

std::vector<Subject> corpus(const std::filesystem::path& folder) {
  const Names names = names::system_names();
  std::vector<Subject> all;
  for (const auto& theme : oracle::themes(folder)) add_lines(all, theme, names);
  return all;
}

std::vector<Subject> conformance(const std::filesystem::path& folder) {
  std::vector<Subject> all;
  if (!std::filesystem::exists(folder / "accept.jsonl")) return all;
  const Names names = oracle::names_of_conformance(folder, names::system_names());
  for (const std::string& line : oracle::lines_of(folder / "accept.jsonl")) {
    const auto row = nlohmann::json::parse(line);
    for (const std::string& filter : oracle::strings(row, "filters"))
      all.push_back({oracle::setting_of(row), filter, "accept.jsonl", names, oracle::program_of(row["program"])});
  }
  for (const char* file : {"wild.txt", "triggers.txt"}) add_lines(all, folder / file, names);
  return all;
}

}  // namespace weir::proofs
