// How filters with known results are written: the rows of the conformance files, which are JSON, and the lines of
// corpus/filters. The oracle, the benchmarks and the proofs read them.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "cbpf/program.hpp"
#include "names/names.hpp"
#include "setting.hpp"

namespace weir::oracle {

/// Those that are not empty.
std::vector<std::string> lines_of(const std::filesystem::path& path);

/// The files of corpus/filters but those of refused filters, in order.
std::vector<std::filesystem::path> themes(const std::filesystem::path& folder);

struct Written {
  Setting setting;
  std::string filter;
};
/// A line `DLT<tab>FILTER`, or a filter for Ethernet; the DLT may have other words of a setting behind it.
Written written_in(const std::string& line);

/// Of a row: nothing where it has no such key.
std::vector<std::string> strings(const nlohmann::json& row, const char* key);
Setting setting_of(const nlohmann::json& row);
/// Instructions, each as its four numbers.
cbpf::Program program_of(const nlohmann::json& instructions);

/// The names of names.json, none where it is missing; others are looked up in `fallback`.
std::unique_ptr<names::Names> names_of_conformance(const std::filesystem::path& directory, std::shared_ptr<const names::Names> fallback);

}  // namespace weir::oracle
