#include <doctest/doctest.h>

#include <vector>

#include "optimize/sequence.hpp"

using namespace weir::optimize;

namespace {

/// A test of two bytes at an offset, for as many of them in each network, and elsewhere.
Step step(std::uint32_t offset, double usual, double other, double anywhere, double instructions = 2) {
  Step s;
  s.in_place = {{{instructions, usual}, {instructions, other}}};
  s.anywhere = {instructions, anywhere};
  s.bytes.add(offset, offset + 2);
  return s;
}

std::vector<int> sequence(const std::vector<Step>& steps) {
  const Sequence all = best_sequence(steps);
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(steps.size())};
}

using Order = std::vector<int>;

}  // namespace

TEST_CASE("sequence: what rejects most for least goes first, past several others") {
  CHECK(sequence({step(0, 0.9, 0.9, 0.5), step(2, 0.9, 0.9, 0.5), step(4, 0.1, 0.1, 0.1)}) == Order{2, 0, 1});
  CHECK(sequence({step(0, 0.1, 0.1, 0.5), step(2, 0.9, 0.9, 0.5)}) == Order{0, 1});
  CHECK(sequence({step(0, 0.5, 0.5, 0.5, 6), step(2, 0.5, 0.5, 0.5, 1)}) == Order{1, 0});
}

TEST_CASE("sequence: nothing moves that pays in one network alone, or hardly") {
  CHECK(sequence({step(0, 0.8, 0.4, 0.5, 2), step(2, 0.1, 0.1, 0.1, 3)}) == Order{0, 1});
  CHECK(sequence({step(0, 0.50, 0.50, 0.5), step(2, 0.48, 0.48, 0.48)}) == Order{0, 1});
  // Hardly is meant for the packets that get there.
  CHECK(sequence({step(0, 0.05, 0.05, 0.5), step(2, 0.9, 0.9, 0.5), step(4, 0.1, 0.1, 0.1)}) == Order{0, 2, 1});
}

TEST_CASE("sequence: ahead of what gives bytes their meaning, packets that it rejects may have anything there") {
  const Step type = step(12, 0.5, 0.5, 0.5);
  CHECK(sequence({type, step(23, 0.1, 0.1, 0.1)}) == Order{1, 0});
  CHECK(sequence({type, step(23, 0.1, 0.1, 0.9)}) == Order{0, 1});
  CHECK(sequence({type, step(0, 0.1, 0.1, 0.9)}) == Order{1, 0});  // these bytes come before it
}

TEST_CASE("sequence: an address says nothing of what follows it") {
  Step address = step(2, 0.05, 0.05, 0.05, 4);
  const Step type = step(12, 0.8, 0.8, 0.05);
  CHECK(sequence({address, type}) == Order{1, 0});
  address.is_address = true;
  CHECK(sequence({address, type}) == Order{0, 1});
}

TEST_CASE("sequence: what one load can ask together stays together") {
  Step a = step(0, 0.5, 0.5, 0.5), b = step(2, 0.5, 0.5, 0.5), c = step(4, 0.2, 0.2, 0.2);
  a.is_one_number = b.is_one_number = true;
  c.bytes = {};
  c.bytes.add(20, 21);
  c.in_place = {{{2, 0.45}, {2, 0.45}}};
  CHECK(sequence({a, b, c}) == Order{0, 1, 2});
  a.is_one_number = false;
  a.in_place = {{{2, 0.9}, {2, 0.9}}};
  CHECK(sequence({a, b, c}) != Order{0, 1, 2});
}

TEST_CASE("sequence: what may not move holds its place, and nothing passes it") {
  Step first = step(0, 0.9, 0.9, 0.5), last = step(2, 0.1, 0.1, 0.1);
  first.may_move = false;
  CHECK(sequence({first, last}) == Order{0, 1});
}

TEST_CASE("sequence: of what moves have saved in other networks, something may be given back") {
  const Step slow = step(12, 0.9, 0.9, 0.5, 6), usual = step(14, 0.8, 0.5, 0.1), rare = step(30, 0.3, 0.3, 0.9, 3);
  CHECK(sequence({usual, rare}) == Order{0, 1});
  CHECK(sequence({slow, usual, rare}) == Order{2, 1, 0});
}

TEST_CASE("sequence: a guess has to save more to go ahead") {
  Step guess = step(2, 0.5, 0.5, 0.5);
  CHECK(sequence({step(0, 0.8, 0.8, 0.5), guess}) == Order{1, 0});
  guess.is_guess = true;
  CHECK(sequence({step(0, 0.8, 0.8, 0.5), guess}) == Order{1, 0});
  CHECK(sequence({step(0, 0.7, 0.7, 0.5), guess}) == Order{0, 1});
}

TEST_CASE("sequence: what one load with a mask can ask stays together for an instruction less, if that costs little") {
  Step protocol = step(23, 0.8, 0.5, 0.1), fragment = step(20, 0.99, 0.99, 0.1), port = step(40, 0.97, 0.9, 0.5, 3);
  const Step type = step(12, 0.8, 0.3, 0.1);
  protocol.bytes = {};
  protocol.bytes.add(23, 24);
  CHECK(sequence({type, protocol, fragment, port}) != Order{0, 1, 2, 3});
  protocol.is_of_bits = fragment.is_of_bits = true;
  CHECK(sequence({type, protocol, fragment, port}) == Order{0, 1, 2, 3});
  // What is asked for often rejects enough to be asked in between.
  port.in_place = {{{3, 0.001}, {3, 0.001}}};
  CHECK(sequence({type, protocol, fragment, port}) != Order{0, 1, 2, 3});
}
