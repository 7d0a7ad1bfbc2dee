// The filters that matching is measured with, their packets, and everything that runs them in this process.
#pragma once
#include <pcap/pcap.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hand.h"
#include "native/batch.hpp"
#include "native/code.hpp"
#include "traffic.hpp"
#include "weir/stages.hpp"
#include "weir/weir.hpp"

namespace weir::bench {

struct Row {
  std::string name, hand, filter;
  std::size_t hosts = 0;  ///< of a list
};
/// All, or the one of that name, if there is one.
std::vector<Row> match_rows(std::string_view name = {});
/// The addresses of a list, for C by hand; null without any.
std::shared_ptr<hand_hosts> hosts_of(std::size_t count);

/// Packets, one behind the other as a capture has them.
struct Packets {
  std::vector<std::uint8_t> bytes;
  std::vector<Packet> ours;
  std::vector<PacketView> views;
  std::vector<hand_packet> theirs;
};

/// So many drawn at random from the first few, which stay in the nearest cache: in such a row no predictor of branches knows what
/// comes, as in traffic, but not among a few packets that come again and again. The bytes are those of `from`.
Packets drawn_from(const Packets& from, std::size_t count);

/// Something that says which packets pass. `run` is null where there is none: libpcap has no program for the longest list, a
/// CPU has no vectors so wide. The interpreter is that of the graph where classic BPF is too small.
struct Runner {
  const char* name;
  std::function<std::size_t(const Packets&)> run;                          ///< counts those that pass: what is measured
  std::function<std::vector<std::uint64_t>(const Packets&)> verdicts = {};  ///< a bit each
};

/// By number of Subject::engines.
enum EngineNumber : std::size_t {
  BpfFilter,
  Interpreter,
  Native,
  Match,
  Hand,
  NativeBatch,
  HandLoop,
  HandBatch,
  HandVector,
  NativeViews,
  ViewsLoop,
  ViewsBatch,
  ViewsVector
};
inline constexpr const char* engine_names[] = {"bpf_filter",
                                               "interpreter",
                                               "native",
                                               "match",
                                               "hand",
                                               "batch",
                                               "hand loop",
                                               "hand batch",
                                               "hand AVX-512",
                                               "views",
                                               "views, hand loop",
                                               "views, hand batch",
                                               "views, hand AVX-512"};

/// A filter, ready to be measured.
class Subject {
 public:
  /// Nothing, with a message on standard error, where the filter does not compile or has no native code.
  static std::unique_ptr<Subject> of(const Row& row, const TrafficModel& model);

  Packets packets(std::size_t count) const;
  /// Whether all engines say the same of every packet; a message on standard output where not.
  bool agree(const Packets& packets) const;

  const Row& row() const { return row_; }
  const Filter& filter() const { return filter_; }
  const native::Code& code() const { return code_; }
  const std::vector<Runner>& engines() const { return engines_; }

 private:
  Subject(const Row& row, const TrafficModel& model, Filter filter, native::Code code)
      : row_(row), model_(model), filter_(std::move(filter)), code_(std::move(code)) {}
  void make_programs();
  void make_engines();

  Row row_;
  const TrafficModel& model_;
  Filter filter_;
  native::Code code_;
  std::vector<bpf_insn> libpcap_;
  std::vector<oracle::Sample> aimed_;
  std::vector<Runner> engines_;
};

}  // namespace weir::bench
