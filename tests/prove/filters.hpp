// The filters that proofs are about: the corpus and the conformance cases.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cbpf/program.hpp"
#include "names/names.hpp"
#include "setting.hpp"

namespace weir::proofs {

struct Subject {
  oracle::Setting setting;
  std::string filter;
  std::string source;                                 ///< the file it stands in
  std::shared_ptr<const names::Names> names;
  std::optional<cbpf::Program> reference = {};        ///< libpcap's program for it, where the file has it
};

/// Those of corpus/filters that are no refused ones.
std::vector<Subject> corpus(const std::filesystem::path& folder);
/// accept.jsonl, wild.txt and triggers.txt; nothing when the folder is not there.
std::vector<Subject> conformance(const std::filesystem::path& folder);

}  // namespace weir::proofs
