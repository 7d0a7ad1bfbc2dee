// Objects that to_object writes come back as programs that do the same. Those of clang are read in tests/cli/run_test.py.
#include "ebpf/read.hpp"

#include <doctest/doctest.h>

#include "ebpf/object.hpp"

namespace weir::ebpf {
namespace {

std::string text_of(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

TEST_CASE("an object without maps has the program's instructions") {
  Program p = *read_text("r6 = r1\nr0 = *(u16 *)skb[12]\nif r0 == 0x800 goto pc+2\nr0 = 0\nexit\nr0 = 262144\nexit");
  p.spans.clear();
  const auto object = to_object(p, {});
  REQUIRE(object);
  const auto back = read_object(text_of(*object));
  REQUIRE_MESSAGE(back, (back ? "" : back.error().message));
  CHECK(back->instructions == p.instructions);
  CHECK(back->hook == Hook::Socket);
  CHECK(read(text_of(*object), "weir")->instructions == p.instructions);
  CHECK(read_object(text_of(*object), "other").error().message == "the object has no program 'other'; there are weir");
}

TEST_CASE("damaged objects are refused") {
  Program p = *read_text("r0 = 0\nexit");
  const std::string object = text_of(*to_object(p, {}));
  CHECK_FALSE(read_object(""));
  CHECK_FALSE(read_object(object.substr(0, 40)));
  for (std::size_t n = 0; n < object.size(); n += 3) {
    std::string changed = object;
    changed[n] = static_cast<char>(changed[n] ^ 0x5a);
    (void)read_object(changed);  // whatever comes out, nothing breaks
    (void)read_object(object.substr(0, n));
  }
}

}  // namespace
}  // namespace weir::ebpf
