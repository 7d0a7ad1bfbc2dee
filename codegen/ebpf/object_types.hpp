// The types in an object (BTF, Documentation/bpf/btf.rst), and what they are about (.BTF.ext).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ebpf/object.hpp"

namespace weir::ebpf {

using Bytes = std::vector<std::uint8_t>;

/// Code of an object: the program itself, or a function that it calls.
struct Function {
  std::string name, section;
  std::size_t begin = 0;  ///< in its section, in instructions
  bool is_entry = false;
};

/// A variable in a section of data.
struct Variable {
  std::string name;
  std::size_t begin = 0, bytes = 0;  ///< in its section
};

/// How many pointers the kind of definition of a map has that libbpf reads (__uint and __type of bpf_helpers.h): each member's type
/// is a pointer to an array with as many elements as the member's value.
inline constexpr std::size_t map_members = 5;
inline constexpr std::size_t map_definition_bytes = map_members * sizeof(void*);

struct ObjectTypes {
  Bytes btf, extension;
};

/// `maps` are those that stay maps. The first function is the program itself.
ObjectTypes types_of(const Program& program, const ObjectOptions& options, const std::vector<Function>& functions,
                     const std::vector<const Map*>& maps);

/// Where `field` is in the object's own picture of the kernel's structure, which loaders replace.
std::uint32_t offset_of(KernelField field);

/// A map's type as the kernel has it (enum bpf_map_type).
std::uint32_t kernel_type(MapKind kind);

}  // namespace weir::ebpf
