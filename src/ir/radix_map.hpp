// Maps from numbers to positive numbers that never change: a new map shares all but a path with the one it was
// made from. (Okasaki and Gill, "Fast Mergeable Integer Maps", 1998: the big-endian kind.)
//
// `raised` costs the depth of the tree, at most the bits of a key; `meet` costs what the two maps differ in, for parts
// that are one are not entered. A pool owns the maps of one analysis and frees them all at its end. Tested by
// tests/unit/ir/radix_map_test.cc.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace weir::ir {

class RadixMaps {
 public:
  enum class Map : std::uint32_t {};
  static constexpr Map empty{};

  /// The number kept for the key, 0 when there is none.
  std::uint64_t at(Map m, std::uint64_t key) const {
    while (m != empty && !is_leaf(m)) m = side(tree(m), key);
    return m != empty && tree(m).key == key ? tree(m).value : 0;
  }

  /// The map with at least `value` for the key; `m` itself when it has that.
  Map raised(Map m, std::uint64_t key, std::uint64_t value) {
    if (m == empty) return leaf(key, value);
    const Tree t = tree(m);
    if (is_leaf(m) && t.key == key) return t.value >= value ? m : leaf(key, value);
    if (is_leaf(m) || !holds(t, key)) return fork(m, t.key, leaf(key, value), key);
    const Map old = side(t, key);
    const Map changed = raised(old, key, value);
    if (changed == old) return m;
    return is_right(t, key) ? branch(t, t.left, changed) : branch(t, changed, t.right);
  }

  /// The keys that both have, each with the smaller number; one of the two itself when that is the same.
  Map meet(Map a, Map b) {
    if (a == b || a == empty) return a;
    if (b == empty) return empty;
    if (is_leaf(a)) return meet_leaf(a, b);
    if (is_leaf(b)) return meet_leaf(b, a);
    const Tree x = tree(a), y = tree(b);
    if (x.bit > y.bit) return holds(x, y.key) ? meet(side(x, y.key), b) : empty;
    if (x.bit < y.bit) return holds(y, x.key) ? meet(a, side(y, x.key)) : empty;
    if (!holds(x, y.key)) return empty;
    const Map left = meet(x.left, y.left);
    const Map right = meet(x.right, y.right);
    if (left == x.left && right == x.right) return a;
    if (left == y.left && right == y.right) return b;
    return branch(x, left, right);
  }

 private:
  static constexpr std::uint8_t no_bit = 0xff;  ///< of a leaf

  /// A leaf, or a fork at a bit: `key` is then any key below, and all below agree with it in the bits above.
  struct Tree {
    std::uint64_t key = 0;
    std::uint64_t value = 0;
    Map left = empty, right = empty;
    std::uint8_t bit = no_bit;
  };

  const Tree& tree(Map m) const { return trees_[static_cast<std::uint32_t>(m)]; }
  bool is_leaf(Map m) const { return tree(m).bit == no_bit; }
  static bool is_right(const Tree& t, std::uint64_t key) { return key >> t.bit & 1; }
  static Map side(const Tree& t, std::uint64_t key) { return is_right(t, key) ? t.right : t.left; }
  static bool holds(const Tree& t, std::uint64_t key) { return (key ^ t.key) >> t.bit <= 1; }

  Map add(const Tree& t) {
    trees_.push_back(t);
    return Map{static_cast<std::uint32_t>(trees_.size() - 1)};
  }
  Map leaf(std::uint64_t key, std::uint64_t value) { return add({key, value, empty, empty, no_bit}); }
  Map branch(const Tree& like, Map left, Map right) {
    if (left == empty) return right;
    if (right == empty) return left;
    return add({like.key, 0, left, right, like.bit});
  }

  /// Two maps whose keys differ above where either forks.
  Map fork(Map a, std::uint64_t key_a, Map b, std::uint64_t key_b) {
    const auto bit = static_cast<std::uint8_t>(std::bit_width(key_a ^ key_b) - 1);
    const Tree t{key_a, 0, a, b, bit};
    return is_right(t, key_a) ? branch(t, b, a) : branch(t, a, b);
  }

  Map meet_leaf(Map one, Map other) {
    const Tree t = tree(one);
    const std::uint64_t value = std::min(t.value, at(other, t.key));
    if (value == 0) return empty;
    return value == t.value ? one : leaf(t.key, value);
  }

  std::vector<Tree> trees_{1};  ///< the first stands for the empty map
};

}  // namespace weir::ir
