// The least that a program can execute on average that asks a filter's own questions, each in whatever order suits the packet:
// the best decision tree, found by trying all. It is right for all packets, whatever numbers they have, and best for those
// given. A node of the tree is a comparison as classic BPF has it: of a field with one number, by order, by bits; of
// masked bits for one instruction more. Before it the field is loaded, unless it is in A; where its bytes lie behind a header
// of any length, X is set, unless it is; each way ends in a return. Two fields within four bytes may be loaded, and for equality
// asked, as one. A load behind the end of a packet ends the tree.
//
// Programs as trees are no faster than programs that share code: whatever is shared could stand twice. Taken for granted: no
// comparison parts numbers that the filter treats alike but to set some of them apart from others (so none serves to guess); what
// a field says about another is used where both lie in two bytes; nothing is kept in scratch memory; three loads and more are
// never one. Trees may load bytes that an accepted packet may lack, which programs may not.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/intern.hpp"
#include "base/packet.hpp"
#include "diagram.hpp"
#include "fields.hpp"
#include "ir/program.hpp"

namespace weir::bench {

class Tree {
 public:
  static constexpr std::size_t mixes = 2;
  using Weights = std::array<double, mixes>;

  /// The graph has no joined loads: those are for the tree to find.
  explicit Tree(const ir::Program& graph);

  /// One more packet of a mix.
  void add(const Packet& packet, std::size_t mix);

  /// The least weighted sum of what both mixes execute on average. Nothing where there are too many fields, or too much to try.
  /// `at_most`: what some program is known to execute, which saves looking for worse.
  std::optional<double> least(const Weights& weights, double at_most = std::numeric_limits<double>::max());

 private:
  static constexpr std::uint8_t nothing = 0xff;
  static constexpr std::size_t most_states = 8'000;

  /// Packets that lie in the same cells; those that end before a field have `nothing` there.
  using Lies = std::vector<std::uint8_t>;
  /// Some of the groups of packets.
  using Crowd = std::vector<std::uint32_t>;
  struct State {
    Diagram::Id left = 0;
    std::uint32_t crowd = 0;
    std::uint8_t a = nothing, x = nothing;  ///< a: a field's value or a window; x: a base
    bool operator==(const State&) const = default;
  };
  struct Hash {
    std::size_t operator()(const State& s) const { return mix(mix(s.left, s.crowd, 0), s.a, s.x); }
    std::size_t operator()(const Crowd& some) const {
      std::uint64_t h = some.size();
      for (const std::uint32_t g : some) h = mix(h, g, 0);
      return h;
    }
  };

  /// Bytes that one load has for two fields.
  struct Window {
    std::size_t low = 0, high = 0;  ///< fields; `low` is the first in the packet
    bool is_tiled = false;          ///< they are all of it
  };
  struct Move {
    std::size_t field = 0;
    Cells some = 0, rest = 0;
    Fields::Comparison comparison;
  };
  struct Joint {
    std::size_t window = 0;
    std::array<std::size_t, 2> field{};
    std::array<Cells, 2> some{}, rest{};
    bool needs_mask = true;
  };
  /// What can be asked where so much of a filter is left.
  struct Moves {
    std::vector<Move> single;
    std::vector<Joint> joint;
    std::vector<std::size_t> fields;
    std::vector<bool> keeps_a;  ///< by what may be in A: whether some move uses it
    std::vector<bool> keeps_x;
    std::vector<std::pair<std::size_t, Cells>> deciding;  ///< fields, and cells that leave nothing open
    double second = 0;                                    ///< instructions that a second field takes at least
  };
  struct Load {
    std::size_t cost = 0;
    std::uint8_t a = nothing, x = nothing;
  };

  void find_windows();
  const Moves& moves(Diagram::Id left);
  void add_moves(Moves& moves, const Diagram::Open& open);
  void add_joints(Moves& moves, std::size_t window, const std::vector<Diagram::Open>& open);
  std::vector<Load> loads(const State& s, const Move& move) const;
  Load load(const State& s, std::size_t field, std::uint8_t into) const;
  std::size_t cost_of(ir::ValueId v, const State& s, std::set<ir::ValueId>& done) const;
  std::uint8_t base_of(std::size_t field) const;

  double weight(std::uint32_t crowd) const;
  std::uint32_t crowd(Crowd some);
  State normal(State s);
  double bound(const State& s);
  /// Where a question leads, and what it costs if all that follows costs no more than its bound.
  struct Plan {
    double cost = 0;
    std::vector<State> next;
  };
  void lead(Plan& plan, Diagram::Id left, Crowd some, const Load& load);
  Plan plan(const State& s, const Move& move, const Load& load);
  Plan plan(const State& s, const Joint& joint);
  double best_from(const State& s, double limit);

  Fields fields_;
  std::unique_ptr<Diagram> diagram_;  ///< none where there are too many fields
  std::map<Lies, std::array<std::size_t, mixes>> packets_;
  std::array<std::size_t, mixes> counts_{};
  std::vector<Lies> groups_;
  std::vector<double> weights_;  ///< by group
  std::vector<std::uint8_t> raw_;        ///< by field: the first of the same value
  std::vector<ir::ValueId> bases_;
  std::vector<Window> windows_;
  std::unordered_map<Diagram::Id, Moves> moves_;
  std::unordered_map<Crowd, std::uint32_t, Hash> crowd_ids_;
  std::vector<const Crowd*> crowds_;
  std::vector<double> crowd_weights_;
  struct Known {
    double least = 0;
    bool is_exact = false;  ///< or no less than that
  };
  std::unordered_map<State, Known, Hash> known_;
  std::unordered_map<std::uint64_t, double> bounds_;  ///< by what is left and crowd
  bool too_many_ = false;
};

}  // namespace weir::bench
