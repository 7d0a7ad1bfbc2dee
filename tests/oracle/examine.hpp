// One filter, compiled by libpcap and by us, tried on packets made for it.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "differences.hpp"
#include "generate.hpp"
#include "judge.hpp"
#include "reference.hpp"
#include "report.hpp"

namespace weir::oracle {

struct Case {
  Setting setting;
  std::string filter;
  Kinds kinds = {};
  std::optional<cbpf::Program> program = {};  ///< what the filter means, where libpcap need not be asked
  std::vector<Sample> samples = {};           ///< packets to try beside those made for the filter
  const names::Names* names = nullptr;        ///< null: the system's
};

class Examiner {
 public:
  Examiner(Differences& differences, Report& report);

  /// Compiles, compares on packets, counts, and reports what disagrees.
  Outcome examine(const Case& c, Random& random);

  /// Whether both refuse: for filters that are known to be refused. `message` excuses as libpcap's words do.
  bool expect_refusal(const Case& c, const std::string& message);

  /// The first disagreement on one packet; the filter is compiled anew.
  std::optional<Disagreement> probe(const Case& c, const Sample& sample, std::size_t n);

  /// Says what every engine makes of one packet.
  void explain(const Case& c, const Sample& sample, std::size_t n);

  Result<Subject> compile_ours(const Case& c) const;
  Result<pred::Filter> meaning(const Case& c) const;
  Kernel& kernel() { return kernel_; }
  Reference& reference() { return reference_; }
  Report& report() { return report_; }
  const std::shared_ptr<const names::Names>& system() const { return system_; }

 private:
  std::expected<cbpf::Program, std::string> compile_theirs(const Case& c);
  /// A difference in what is accepted: excused, or a failure.
  Outcome differ(Difference what, const Case& c, const std::string& message);
  /// Tries the packets; what disagrees first, if anything.
  bool compare(const Case& c, Trial& trial, const std::vector<Sample>& samples, Random& random, Tally& tally);
  bool judge(const Case& c, Trial& trial, const Sample& sample, std::size_t n, Tally& tally);
  bool settle(const Case& c, Trial& trial, const Sample& sample, std::size_t n, const Disagreement& d);
  /// A row excuses libpcap: asks it in other words, or not at all.
  bool excused(const Case& c, Trial& trial);
  bool excused_order(const Case& c);
  void ask_anew(const Case& c);
  const names::Names& names_of(const Case& c) const { return c.names != nullptr ? *c.names : *system_; }

  Differences& differences_;
  Report& report_;
  std::shared_ptr<const names::Names> system_;
  Reference reference_;
  Kernel kernel_;
  std::string asked_;  ///< the words in which libpcap was asked for the filter under examination
  std::vector<const Differences::Row*> applied_;  ///< the rows that excused it so far
  std::optional<cbpf::Program> amended_;          ///< its answer, when those were not the filter's own
};

}  // namespace weir::oracle
