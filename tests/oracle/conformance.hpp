// Filters with known results: the conformance files and the corpus.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "examine.hpp"

namespace weir::oracle {

/// The filters of accept.jsonl and apply.jsonl, and those of a file of lines (wild.txt, corpus/filters). Those that need
/// the names of names.json have `names` set to the given ones.
struct Known {
  Case c;
  std::optional<std::size_t> optimized_length;  ///< how many instructions the optimizer of libpcap's master leaves
};
std::vector<Known> known_filters(const std::filesystem::path& directory, const names::Names& names);
std::vector<Case> filters_of_lines(const std::filesystem::path& file);

/// Runs all files of the conformance directory on the link types that can be compared, and prints a line for each.
/// `pattern`: only cases whose name or filter contains it.
void run_conformance(Examiner& examiner, const std::filesystem::path& directory, std::uint64_t seed, const std::string& pattern);

/// Every filter of corpus/filters on packets of corpus/packets that have its link type: the first `captured` of each file
/// on all engines. Those of refused*.txt both must refuse. Prints how many filters accept and reject some of all packets.
void run_corpus(Examiner& examiner, const std::filesystem::path& directory, std::size_t captured, std::uint64_t seed);

/// Lines as in corpus/filters, any of which may be no filter at all: libpcap is asked.
void run_lines(Examiner& examiner, const std::filesystem::path& file, std::uint64_t seed);

}  // namespace weir::oracle
