// What a program costs in the kernel, and how many instructions it executes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "attach/load.hpp"
#include "ebpf/program.hpp"
#include "rows.hpp"

namespace weir::bench {

struct Options {
  double seconds = 0.1;  ///< for each number
  std::string only;      ///< a row's name, or a table's
};

constexpr std::size_t usual_copies = 24;

/// A program several times: where the kernel puts it makes a difference of a cycle or two, and short programs take no more than
/// three or four. Now and then one lies so that its jumps are foreseen badly, and takes several nanoseconds more. So they lie all
/// over the place.
class Copies {
 public:
  explicit Copies(const Result<ebpf::Program>& program, std::size_t count = usual_copies);
  explicit operator bool() const { return problem_.empty(); }
  const std::string& problem() const { return problem_; }
  const attach::Loaded& one() const { return copies_.front(); }
  std::vector<int> descriptors() const;

 private:
  std::vector<attach::Loaded> copies_, between_;
  std::string problem_;
};

/// A program in the kernel with a packet, and the nanoseconds that a run takes by BPF_PROG_TEST_RUN, by rounds: the mean of the
/// middle half of its copies.
struct Timed {
  Timed(std::vector<int> copies, const Bytes& data);
  Timed(const Copies& program, const Bytes& data) : Timed(program.descriptors(), data) {}
  double nanoseconds() const;  ///< the median

  std::vector<int> programs;  ///< the same one several times
  const Bytes* packet;
  int repeats;                ///< by one request to the kernel
  std::vector<double> rounds = {};
};

/// Round by round each copy of each program, one program after the other, so that what else the machine does strikes all alike.
void measure(const std::vector<Timed*>& all, double seconds);

/// A quarter of the rounds had less, a half, three quarters.
struct Quartiles {
  double low, median, high;
};
Quartiles quartiles(std::vector<double> of);
std::string to_string(const Quartiles& q);

/// By rounds: `a` less `b`, both, and `a` by `b`.
std::vector<double> less(const std::vector<double>& a, const std::vector<double>& b);
std::vector<double> more(const std::vector<double>& a, const std::vector<double>& b);
std::vector<double> ratios(const std::vector<double>& a, const std::vector<double>& b);

/// As sockets get it: behind a header of the link layer, which the kernel takes away.
Bytes framed(const Bytes& packet);

std::uint64_t executed(const ebpf::Program& p, const Bytes& data);
ebpf::Program empty_program(ebpf::Hook hook);

}  // namespace weir::bench
