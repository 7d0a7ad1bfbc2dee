// Formulas as Z3 has them: bit vectors, the packet as an array of bytes. Knows all of arithmetic, and finds packets.
// The only file pair that calls Z3, whose exceptions prove() catches; those of `solve` become GivenUp.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <z3++.h>

#include "prove/algebra.hpp"

namespace weir::prove {

/// What a formula was found to be true of.
struct Model {
  std::map<std::uint32_t, std::uint8_t> bytes;  ///< by offset; others are 0
  std::uint32_t captured = 0;
  std::uint32_t length = 0;
  std::uint32_t linear = 0;                     ///< bytes where packet pointers reach
  Metadata meta;
};

class Smt final : public Algebra {
 public:
  Smt();

  Ref constant(std::uint32_t k) override;
  Ref length() override;
  Ref meta(Meta m) override;
  Ref load(std::uint32_t size, Ref address) override;
  Ref binary(Arith op, Ref a, Ref b) override;
  Ref room(Bytes of, Ref offset) override;
  Ref truth(bool t) override;
  Ref compare(Relation op, Ref a, Ref b) override;
  Ref member(Ref value, const Set& set) override;
  Ref choose(Ref truth, Ref a, Ref b) override;

  enum class Found : std::uint8_t { Never, Sometimes, Unknown };
  struct Verdict {
    Found found = Found::Unknown;
    Model model;  ///< when Sometimes
  };
  /// Whether a truth holds for some packet, of which no more is captured than its length when `real_lengths`. A packet that is found
  /// is a small one, where possible.
  Verdict solve(Ref truth, bool real_lengths, double seconds);

 private:
  Ref keep(const z3::expr& e);
  z3::expr at(Ref r) const { return exprs_[static_cast<std::uint32_t>(r)]; }
  z3::expr number(std::uint32_t k) { return context_.bv_val(k, 32); }
  z3::expr byte_at(const z3::expr& address);
  z3::expr between(const z3::expr& value, Interval i);
  z3::expr in(const z3::expr& value, std::span<const Interval> intervals);
  void assert_packet(z3::solver& solver);
  Model model_of(const z3::model& m);

  z3::context context_;
  z3::expr packet_, captured_, length_, linear_;
  std::vector<z3::expr> exprs_;
  std::unordered_map<unsigned, Ref> known_;        ///< by Z3's number
  std::map<std::uint32_t, z3::expr> bytes_;        ///< at constant offsets
  std::vector<z3::expr> addresses_;                ///< offsets of loads that are no constants
  std::map<Meta, z3::expr> metas_;
};

}  // namespace weir::prove
