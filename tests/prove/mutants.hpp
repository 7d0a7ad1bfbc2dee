// Wrong programs, made by changing right ones: a prover has to notice.
#pragma once
#include <random>
#include <string>
#include <vector>

#include "cbpf/program.hpp"
#include "ebpf/program.hpp"

namespace weir::proofs {

struct Mutant {
  std::string what;  ///< was done to which instruction
  cbpf::Program program;
};

/// A few of each kind of change, at random places; all pass cbpf::check.
std::vector<Mutant> mutants_of(const cbpf::Program& p, std::size_t of_each_kind, std::mt19937& random);

struct EbpfMutant {
  std::string what;
  ebpf::Program program;
};

/// The same of eBPF; all pass ebpf::check.
std::vector<EbpfMutant> mutants_of(const ebpf::Program& p, std::size_t of_each_kind, std::mt19937& random);

}  // namespace weir::proofs
