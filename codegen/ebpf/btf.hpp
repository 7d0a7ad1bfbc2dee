// The kernel's type information in memory, freed with its owner.
#pragma once
#include <bpf/btf.h>

#include <memory>

namespace weir::ebpf {

struct FreeBtf {
  void operator()(btf* types) const { btf__free(types); }
};

using Btf = std::unique_ptr<btf, FreeBtf>;

}  // namespace weir::ebpf
