// The three descriptors that every program expects to be open.
#pragma once

namespace weir::cli {

/// Occupies those of standard input, output and error that are closed, so that no file or socket which is opened later gets
/// one of these numbers and, with it, what is meant for a person or a pipe. Reading or writing them fails as if they
/// were closed (EBADF). False: there are none to be had. Tested by tests/cli/descriptors_test.py.
bool occupy_standard_descriptors();

}  // namespace weir::cli
