#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "ebpf/assembler.hpp"
#include "ir/captured.hpp"
#include "ir/program.hpp"

namespace weir::ebpf {

/// What registers and stack hold at a place of the code, in values of the graph.
struct Machine {
  enum class Form : std::uint8_t {
    Value,    ///< in the host's order
    Raw,      ///< a load as its bytes lie in memory
    Pointer,  ///< to the packet's byte at that offset
    Window,   ///< bytes `at` to `end` behind a base, as they lie in memory: those of several loads
  };
  struct Held {
    ir::ValueId value = ir::no_value;
    Form form = Form::Value;
    std::uint64_t end = 0;  ///< of a pointer: the verifier knows of so many bytes behind it
    std::uint32_t made = 0;  ///< of a pointer: which one. On two ways made anew it is not the same to all checkers
    std::uint64_t at = 0;    ///< of a window, whose base is `value`
    bool is(ir::ValueId v, Form f) const { return value == v && form == f; }
    bool is_nothing() const { return value == ir::no_value && form != Form::Window; }
    bool is_window_of(ir::ValueId base, std::uint64_t from, std::uint64_t to) const {
      return is(base, Form::Window) && at <= from && to <= end;
    }
    bool is_same(const Held& o) const {
      return is(o.value, o.form) && made == o.made && at == o.at && (form != Form::Window || end == o.end);
    }
  };
  /// A value is this number.
  struct Known {
    ir::ValueId value = ir::no_value;
    std::uint32_t k = 0;
    bool operator==(const Known&) const = default;
  };
  std::array<Held, 10> registers{};
  std::vector<ir::ValueId> at_home;  ///< values that the stack holds; sorted
  ir::Captured captured;
  Known known;  ///< what the last test for equality found, if it did

  /// What holds on both ways to a place.
  void meet(const Machine& other);
  bool is_home(ir::ValueId v) const { return std::ranges::binary_search(at_home, v); }
  void come_home(ir::ValueId v);
};

}  // namespace weir::ebpf
