// What keeps a program at its hook: a link of the kernel.
#pragma once
#include <string>

#include "attach/descriptor.hpp"
#include "base/result.hpp"

namespace weir::attach {

/// The program runs as long as the link lives: it ends with this object, also when the process dies, unless it is pinned.
class Link {
 public:
  explicit Link(Descriptor link) : link_(std::move(link)) {}
  int descriptor() const { return link_.get(); }

  /// Keeps the link beyond this object and the process, under a name in a file system of type bpf; who removes the file removes
  /// the program. Errors: Input (no such folder, or of another type; something has the name), System.
  Result<void> pin(const std::string& path) const;
  /// Ends it now.
  void detach() { link_.reset(); }

 private:
  Descriptor link_;
};

}  // namespace weir::attach
