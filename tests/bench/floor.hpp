// The least that a program can cost. Executed: the bytes that a program looks at must decide about the packet, or another
// packet with the same bytes would have the same fate. Which of a graph's questions do, and what it takes at least to ask
// them: an instruction to load up to four bytes that lie together, one that uses them, one to put into X where bytes lie
// that depend on the packet, and the return. Programs are free in their order and may know beforehand which questions those
// are, so no program has to be as good. Length: each place loaded, each number compared, both returns. Taken for granted: a
// question is asked of all of its bytes, and in the length, that a place has an instruction of its own.
#pragma once
#include <cstddef>
#include <map>
#include <vector>

#include "base/packet.hpp"
#include "ir/program.hpp"

namespace weir::bench {

class Floor {
 public:
  explicit Floor(const ir::Program& graph);

  std::size_t length() const;
  /// Instructions for one packet.
  std::size_t executed(const Packet& packet);

 private:
  /// Bytes at a place; those of metadata and the length have a base of their own.
  struct Read {
    ir::ValueId base;
    std::uint64_t begin, end;
    auto operator<=>(const Read&) const = default;
  };
  struct Question {
    std::vector<Read> reads;
    ir::Program probe;  ///< returns 1 where it holds
  };
  using Answers = std::vector<char>;     ///< by node
  using Chosen = std::vector<ir::NodeId>;

  void collect(ir::ValueId v, std::vector<Read>& reads) const;
  std::vector<Read> reads_of(const Chosen& chosen) const;
  static std::size_t loads(const std::vector<Read>& sorted);
  std::size_t cost(const std::vector<Read>& sorted) const;
  bool is_known(const Question& q, const std::vector<Read>& sorted) const;
  Chosen way_to_another_verdict(const Answers& answers, const std::vector<Read>& known) const;
  void search(const Answers& answers, Chosen& chosen, std::size_t& least) const;

  ir::Program graph_;
  std::map<ir::NodeId, Question> questions_;
  std::map<Answers, std::size_t> seen_;
};

}  // namespace weir::bench
