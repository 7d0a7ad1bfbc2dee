// Formulas as ordered decision diagrams whose nodes divide all numbers that one term can be into intervals, and have a way
// out for each. Tests of one term against constants merge as they meet, in whatever order and form they were asked
// (trees of comparisons, chains of equalities, sets), so formulas that differ only in that are the same diagram, whose
// id is equal. Terms count as independent of each other: equal diagrams are equal formulas; for others, `translate`
// asks an algebra that knows better.
//
// This is where lists of hosts and ports are decided. Order: terms as they were first asked for, then all questions
// about how many bytes there are, for then a path asks once, for the most it needs.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "prove/algebra.hpp"
#include "prove/terms.hpp"

namespace weir::prove {

/// Tested by tests/unit/prove/diagrams_test.cc. Throws GivenUp when it gets too large or too late.
class Diagrams final : public Algebra {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Diagrams(Clock::time_point deadline, std::size_t most_edges = 48'000'000);

  Ref constant(std::uint32_t k) override { return leaf(terms_.constant(k)); }
  /// What there is from the first byte on: so that asking for the length and for a byte at its end are one question.
  Ref length() override { return leaf(terms_.binary(Arith::Sub, terms_.room(Bytes::Length, terms_.constant(0)), terms_.constant(1))); }
  Ref meta(Meta m) override { return leaf(terms_.meta(m)); }
  Ref load(std::uint32_t size, Ref address) override;
  Ref binary(Arith op, Ref a, Ref b) override;
  Ref room(Bytes of, Ref offset) override;
  Ref truth(bool t) override { return constant(t); }
  Ref compare(Relation op, Ref a, Ref b) override;
  Ref member(Ref value, const Set& set) override;
  Ref choose(Ref truth, Ref a, Ref b) override;

  /// The same formula, a truth or a value, in another algebra.
  Ref translate_truth(Ref truth, Algebra& to) { return Translation{*this, to}.truth(truth); }

  /// One way to make a truth hold, which is not always false: a truth that implies it, and is simpler. `which` chooses among some.
  Ref translate_way(Ref truth, Algebra& to, std::uint32_t which) { return Translation{*this, to}.way(truth, which); }

  std::size_t edge_count() const { return edges_.size(); }

 private:
  struct Edge {
    std::uint32_t high;  ///< all numbers up to this, above that of the edge before
    Ref to;
    bool operator==(const Edge&) const = default;
  };
  struct Node {
    TermId term;           ///< of a leaf: its value; otherwise what is asked
    std::uint32_t first;   ///< edge
    std::uint32_t count;   ///< of edges; 0: a leaf
  };
  struct Key {
    Ref a, b, c;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& k) const {
      return mix(mix(0, static_cast<std::uint32_t>(k.a), static_cast<std::uint32_t>(k.b)), static_cast<std::uint32_t>(k.c), 1);
    }
  };
  using Memo = std::unordered_map<std::uint32_t, Ref>;
  using OfTerm = std::function<Ref(TermId)>;
  using OfTerms = std::function<TermId(TermId, TermId)>;

  struct Translation {
    Diagrams& from;
    Algebra& to;
    std::unordered_map<std::uint32_t, Ref> terms = {}, truths = {};
    Ref truth(Ref d);
    Ref way(Ref d, std::uint32_t which);
    Ref value(TermId t);
    Ref test(TermId t, const Set& set);
    Ref compute(TermId t);
  };

  const Node& operator[](Ref r) const { return nodes_[static_cast<std::uint32_t>(r)]; }
  bool is_leaf(Ref r) const { return (*this)[r].count == 0; }
  std::span<const Edge> edges(Ref r) const { return {edges_.data() + (*this)[r].first, (*this)[r].count}; }
  /// Where a term stands in the order of all diagrams; leaves come after everything.
  std::uint64_t rank(TermId t) const;
  std::uint64_t rank(Ref r) const { return is_leaf(r) ? UINT64_MAX : rank((*this)[r].term); }

  Ref leaf(TermId value);
  Ref make(TermId term, std::vector<Edge>& edges);
  Ref intern(TermId term, std::span<const Edge> edges);
  void grow_index();
  void check_budget();
  void note_question(TermId term);

  Ref indicator(TermId term, const Set& set);
  /// The set of numbers from which a node goes to each of the places it can go to.
  std::vector<std::pair<Ref, Set>> ways(Ref node) const;
  Ref replace_leaves(Ref d, const OfTerm& by, Memo& memo);
  Ref combine(Ref a, Ref b, const OfTerms& by, std::unordered_map<std::uint64_t, Ref>& memo);

  Terms terms_;
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
  std::vector<std::uint32_t> index_;  ///< open addressing: node number + 1, 0 is free
  std::unordered_map<Key, Ref, KeyHash> chosen_;
  std::vector<Ref> leaves_;   ///< by term, as far as asked for
  std::vector<bool> asked_;   ///< by term: nodes test it
  std::size_t questions_ = 0;
  Clock::time_point deadline_;
  std::size_t most_edges_;
  std::uint32_t steps_ = 0;
};

}  // namespace weir::prove
