// The interface that a program is put on.
#pragma once
#include <string>

#include "base/result.hpp"

namespace weir::attach {

struct NetworkInterface {
  int index = 0;
  std::string name;
};

/// In the namespace of the calling thread. Errors: Name.
Result<NetworkInterface> find_interface(const std::string& name);

/// The number and name of a program in the kernel, for messages: "program 12 ('count')".
std::string describe_program(unsigned id);

}  // namespace weir::attach
