#include "cli/descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace weir::cli {
namespace {

/// O_PATH: a descriptor that nothing can be read from or written to (open(2)). The root is there in every chroot.
bool occupy_lowest() { return ::open("/", O_PATH) >= 0; }

bool is_closed(int descriptor) { return ::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF; }

}  // namespace

bool occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (is_closed(descriptor) && !occupy_lowest()) return false;  // the lowest that is closed: this one
  }
  return true;
}

}  // namespace weir::cli
