// One filter, compiled by libpcap's optimizer and by us, and what both programs cost on packets of both mixes.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance.hpp"
#include "differences.hpp"
#include "floor.hpp"
#include "reference.hpp"
#include "traffic_model.hpp"
#include "tree.hpp"

namespace weir::bench {

inline constexpr std::size_t mixes = 2;
inline constexpr std::array<const char*, mixes> mix_names = {"model", "other"};

/// A filter, and where it comes from.
struct Entry {
  std::string source;
  oracle::Case c;
  std::optional<std::size_t> optimized_length = {};  ///< as libpcap's master has it, for those the installed one does not know
};

/// All filters of the corpus and the conformance directory. `names` must outlive them.
std::vector<Entry> all_filters(const std::string& corpus, const std::string& conformance, const names::Names& names);

struct Cost {
  std::size_t length = 0;                    ///< instructions; 0: there is no program
  std::array<double, mixes> executed = {};   ///< instructions executed on average
};

/// The least that trees execute on average (tree.hpp), or our own program where that cannot be found.
struct Best {
  std::array<double, mixes> executed = {};
  double without_harm = 0;  ///< in the first mix, of trees that execute no more in the other one than libpcap's program
  bool found = false;
};

struct Row {
  Entry entry;
  Cost ours, theirs;
  Cost floor;                 ///< the least that is possible (floor.hpp), where that was asked for
  Best best;                  ///< likewise
  bool executed = false;      ///< both were run
  bool theirs_wrong = false;  ///< their verdict is not that of their own program without the optimizer
  bool ours_wrong = false;    ///< ours is not that of the program that defines the meaning
  std::string missing;        ///< why there is nothing to compare
  std::string difference;     ///< the installed libpcap means something else by the filter (differences.tsv): why

  bool compared() const { return ours.length != 0 && theirs.length != 0 && difference.empty(); }
  bool longer() const;
  bool slower() const;
  /// So many primitives in a chain.
  std::size_t terms() const;
};

struct Programs {
  std::optional<cbpf::Program> ours, theirs, meaning;
  std::optional<ir::Program> graph, plain;  ///< of ours, where the floor was asked for; plain: before its tests change places
  std::string missing;
};

struct MeasureOptions {
  std::size_t packets = 3000;
  std::uint64_t seed = 1;
  double seconds = 2;  ///< that libpcap's optimizer may take
  bool floors = false;
};

class Measure {
 public:
  Measure(std::array<TrafficModel, mixes> models, oracle::Differences differences, std::shared_ptr<const names::Names> names,
          MeasureOptions options)
      : models_(std::move(models)), differences_(std::move(differences)), names_(std::move(names)), options_(options) {}

  Programs compile(const oracle::Case& c);
  /// Where the installed libpcap is known to mean something else, it is asked in words that it gets right, if there are any.
  Row measure(const Entry& entry);
  /// The packets that a filter is measured on.
  std::vector<oracle::Sample> aimed(std::size_t mix, const oracle::Case& c, const cbpf::Program& meaning) const;
  const std::vector<oracle::Sample>& passing(std::size_t mix, const oracle::Setting& setting);

 private:
  void compile_theirs(const oracle::Case& c, Programs& programs);
  void run(Row& row, const Programs& programs);
  void run(Row& row, const Programs& programs, std::size_t mix);
  void find_floor(Row& row, const Programs& programs);
  void find_best(Row& row, const Programs& programs);
  void amend(Row& row, Programs& programs);
  std::array<TrafficModel, mixes> models_;
  oracle::Differences differences_;
  std::shared_ptr<const names::Names> names_;
  MeasureOptions options_;
  oracle::Reference libpcap_;
  std::map<std::string, std::vector<oracle::Sample>> passing_;  ///< by mix and setting
};

/// Totals by source, and the worst filters.
void print_totals(const std::vector<Row>& rows);
void print_worst(const std::vector<Row>& rows, std::size_t most);
/// Sums by source beside the least that is possible.
void print_floors(const std::vector<Row>& rows);
/// Sums by source beside those of the best trees.
void print_best(const std::vector<Row>& rows);
/// All rows with tabs between their columns.
void print_all(const std::vector<Row>& rows, bool with_best);
/// A filter that is worse than libpcap's, how much at most, and why that stays so.
struct Exception {
  double theirs_length = 0, length = 0;
  std::array<double, mixes> theirs_executed = {}, executed = {};
  std::string reason;
  bool covers(const Row& row) const;
  /// Not there to stay: the reason says what would mend it.
  bool open() const { return reason.starts_with("open:"); }
};
/// By setting and filter, with a tab between them. The columns of the file: these two, six figures as print_all has them, the reason.
using Exceptions = std::map<std::string, Exception>;
std::expected<Exceptions, std::string> read_exceptions(const std::string& path);

/// Prints the rows that are worse than libpcap's and not excepted, or worse than that, or not worse any more; how many.
std::size_t print_unexcused(const std::vector<Row>& rows, const Exceptions& exceptions);

/// Both programs side by side, each instruction with how often it was executed per packet. `instead` stands for ours.
void print_listing(Measure& measure, const oracle::Case& c, const std::optional<cbpf::Program>& instead);

}  // namespace weir::bench
