// libbpf writes to standard error what goes wrong, which is for whoever uses the library to decide.
#pragma once
#include <bpf/libbpf.h>

namespace weir::attach {

/// While this lives, libbpf says nothing: what it would say comes as an error. It has one place in a process for that; what was
/// there is put back.
class Quiet {
 public:
  Quiet() : before_(libbpf_set_print(nullptr)) {}
  ~Quiet() { libbpf_set_print(before_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  libbpf_print_fn_t before_;
};

}  // namespace weir::attach
