// Instruction selection: the graph's nodes to blocks (nodes.cc) and its values into A and X (values.cc), while keeping
// track of what the registers hold. One walk in the graph's order; never along its edges.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/column.hpp"
#include "cbpf/blocks.hpp"
#include "cbpf/families.hpp"
#include "cbpf/machine.hpp"
#include "cbpf/products.hpp"
#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::cbpf {

/// Values that cost enough to be kept in scratch memory. Which are worth the store shows only when the code is there:
/// those that were fetched, and those that were computed again although every path there had computed them before.
struct Keep {
  Column<std::uint64_t> bits;  ///< by value; empty where none is costly
  std::uint64_t kept = 0;      ///< stored whenever computed
  std::uint64_t alternating = 0;  ///< loads from places that a choice gives: where places alternate in X, to keep them may be shorter

  /// Of a costly value in Machine::computed, of which there are at most 64; 0 of others.
  std::uint64_t bit(ir::ValueId v) const { return bits.size() == 0 ? 0 : bits[v]; }
};
/// At first all choices are kept: one inside the other they would double with every level. In chains of headers what is loaded from there
/// is, too: that has always been shorter.
Keep costly_values(const ir::Program& p);

/// Beyond this many instructions nobody needs to know how many more there would be.
inline constexpr std::size_t enough_lines = 200'000;

/// The part of a load's code that says how many bytes it takes.
constexpr std::uint16_t size_code(std::uint32_t size) { return size == 4 ? op::W : size == 2 ? op::H : op::B; }

class Select {
 public:
  Select(const ir::Program& p, const Keep& keep, ir::Ranges& ranges, const Families& families, Products& products)
      : program_(p), keep_(keep), ranges_(ranges), families_(families), products_(products) {}

  Blocks run();
  /// Values that should have been kept.
  std::uint64_t missed() const { return missed_; }
  /// Kept values that were fetched.
  std::uint64_t fetched() const { return fetched_; }
  /// Leaves out of the code what stores kept values that were not fetched.
  void drop_stores(Blocks& code) const;
  /// An expression needed more than the 16 scratch words.
  bool out_of_scratch() const { return out_of_scratch_; }
  /// The code grew beyond any use; what run() gave is cut short.
  bool too_long() const { return too_long_; }

 private:
  // ---- nodes.cc: control ---------------------------------------------------------------------------

  /// A place that code continues at, and what the machine holds there whichever way it was reached.
  struct Entry {
    BlockId block{};
    Machine machine;
    bool reached = false;
  };
  /// Where leaves lead: out of the program, or on behind a choice.
  struct Leaves {
    ir::ValueId choice = ir::no_value;
    Entry* join = nullptr;
  };
  /// The entries of nodes that code is still to come for. They are few at a time, and stay where they are.
  class Entries {
   public:
    Entries() = default;                                               ///< for a choice: looked through one by one
    explicit Entries(std::size_t nodes) : places_(nodes, nowhere) {}  ///< for a whole graph

    Entry* find(ir::NodeId n) {
      const std::uint32_t at = place(n);
      return at < used_ ? &slot(at).entry : nullptr;
    }
    /// For a node that has none.
    Entry& add(ir::NodeId n) {
      const std::uint32_t at = free_ == nowhere ? used_ : free_;
      if (free_ == nowhere) ++used_;
      else free_ = slot(at).next_free;
      if (at >= few && at - few == more_.size()) more_.push_back(std::make_unique<Slot>());
      slot(at) = {n, nowhere, {}};
      if (places_.size() != 0) places_[n] = at;
      return slot(at).entry;
    }
    void drop(ir::NodeId n) {
      const std::uint32_t at = place(n);
      slot(at).node = ir::NodeId{nowhere};
      slot(at).next_free = std::exchange(free_, at);
      if (places_.size() != 0) places_[n] = nowhere;
    }

   private:
    static constexpr std::uint32_t nowhere = 0xffffffff, few = 8;
    struct Slot {
      ir::NodeId node{};
      std::uint32_t next_free = nowhere;
      Entry entry;
    };
    Slot& slot(std::uint32_t at) { return at < few ? slots_[at] : *more_[at - few]; }
    std::uint32_t place(ir::NodeId n) {
      if (places_.size() != 0) return places_[n];
      std::uint32_t at = 0;
      while (at < used_ && slot(at).node != n) ++at;
      return at;
    }
    Column<std::uint32_t> places_;  ///< by node of a whole graph: its slot
    std::array<Slot, few> slots_;
    std::vector<std::unique_ptr<Slot>> more_;
    std::uint32_t used_ = 0;        ///< slots that were used once
    std::uint32_t free_ = nowhere;  ///< the first of them that is not used any more
  };

  void graph_node(ir::NodeId id, Entries& entries, Leaves leaves);
  void guard(const ir::Node& n);
  void leaf(const ir::Node& n, Leaves leaves);
  void branch(const ir::Node& n, Entry& t, Entry& f);
  const ir::Node* link_behind(const ir::Node& n) const;
  bool is_in_chain(const ir::Node& n);
  void link(const ir::Node& n, Entries& entries);
  void member(const ir::Node& n, Entry& t, Entry& f);
  void choose(ir::ValueId choice, ir::NodeId root);
  void collect_below(ir::NodeId root);
  ir::NodeId skip_free(ir::NodeId n) const;
  bool checks_itself(const ir::Node& guard) const;
  bool contains(ir::ValueId tree, const ir::Node& guard) const;
  Entry& way(Entries& entries, ir::NodeId to);
  void arrive(Entry& e);
  void begin(const Entry& e);
  void go_to(Entry& e);
  void jump(std::uint16_t code, std::uint32_t k, Entry& t, Entry& f);
  void reject_unless_at_most(std::uint32_t k);
  void reject();
  void put(std::uint16_t code, std::uint32_t k = 0);

  // ---- sets.cc: membership --------------------------------------------------------------------------

  /// What a value may be, and whether large numbers are as likely as small ones.
  struct Domain : Interval {
    bool is_even = false;
  };
  struct Part;
  Domain domain_of(ir::ValueId v);
  void row(Families::Place place, Entries& entries);
  void membership(const Set& set, Domain domain, Entry& t, Entry& f);
  static std::uint32_t common_blocks(const Set& set);
  void blocks(const Set& set, std::uint32_t low_bits, Domain domain, Entry& t, Entry& f);
  bool with_product(const Set& set, Interval domain, Entry& t, Entry& f);
  bool with_mask(const Set& set, Interval domain, Entry& t, Entry& f);
  static Part whole(Domain domain, std::span<const Interval> intervals);
  void tree(Part part, Entry& t, Entry& f);
  void leaf(Part part, Entry& t, Entry& f);
  void leave_out_beyond(Part& part, Entry& f);
  static const Interval* most_of(Part part);
  void interval(Interval i, Domain domain, Entry& t, Entry& f);
  bool with_upper_bits(const ir::Node& n, std::uint32_t k, Entry& t, Entry& f);

  // ---- values.cc: data -----------------------------------------------------------------------------

  void to_a(ir::ValueId v);
  void to_x(ir::ValueId v);
  void compute(ir::ValueId id);
  void load(const ir::Value& v);
  void binary(ir::ValueId id, const ir::Value& v);
  void with_constant(Arith op, std::uint32_t k);
  void shift(ir::ValueId id, const ir::Value& v);
  /// a into A and b into X, at once.
  void operands(ir::ValueId a, ir::ValueId b);
  unsigned trouble(ir::ValueId a, ir::ValueId b) const;
  bool spares_x(ir::ValueId v) const;
  bool straight_to_x(ir::ValueId v) const;
  std::optional<std::uint32_t> header_length_at(ir::ValueId v) const;
  unsigned need(ir::ValueId v);
  bool fetch(ir::ValueId v, std::uint16_t code);
  void remember(ir::ValueId v);
  std::uint32_t free_word();
  std::uint32_t hold();
  void release(std::uint32_t word) { pinned_ &= ~(1u << word); }

  const ir::Program& program_;
  const Keep& keep_;
  ir::Ranges& ranges_;
  const Families& families_;
  Products& products_;
  std::map<std::uint32_t, Entry> shared_;  ///< by family: where its trees begin, once a row has led there
  Blocks blocks_;
  BlockId current_{};
  BlockId reject_{};
  Machine machine_;
  Span span_;
  std::uint64_t missed_ = 0, fetched_ = 0;
  struct Store {
    std::uint32_t line;
    std::uint64_t bit;
  };
  std::vector<Store> stores_;  ///< of kept values
  std::uint32_t pinned_ = 0;  ///< scratch words that hold a part of an expression
  std::uint32_t next_word_ = 0;
  std::size_t lines_ = 0;
  std::vector<ir::NodeId> below_;  ///< the nodes of the choices that are under way
  bool out_of_scratch_ = false;
  bool too_long_ = false;
  std::optional<bool> has_chain_;  ///< of links, once it matters
  Column<unsigned> needs_;    ///< by value: scratch words, where they are known
};

}  // namespace weir::cbpf
