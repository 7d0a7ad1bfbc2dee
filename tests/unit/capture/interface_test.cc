#include "capture/interface.hpp"

#include <doctest/doctest.h>
#include <net/if_arp.h>

#include <algorithm>
#include <string_view>

#include "wire/link_type.hpp"

using namespace weir;
using capture::dlt_of_hardware;

namespace {

struct Row {
  unsigned number;
  std::string_view link_type;
};
constexpr Row rows[] = {
#define WEIR_HARDWARE_TYPE(number, kind, link_type) {number, #link_type},
#include "capture/hardware_types.def"
};

}  // namespace

TEST_CASE("every kind of hardware has a link type that exists") {
  for (const auto& row : rows) {
    CAPTURE(row.number);
    REQUIRE(wire::find_link_type(row.link_type));
    CHECK(dlt_of_hardware(row.number) == wire::find_link_type(row.link_type)->dlt);
  }
}

TEST_CASE("kinds of hardware by the kernel's names") {
  CHECK(dlt_of_hardware(ARPHRD_ETHER) == 1);
  CHECK(dlt_of_hardware(ARPHRD_LOOPBACK) == 1);
  CHECK(dlt_of_hardware(ARPHRD_NONE) == 12);
  CHECK(dlt_of_hardware(ARPHRD_IEEE80211_RADIOTAP) == 127);
  CHECK(dlt_of_hardware(ARPHRD_FCPP) == 224);
  CHECK(dlt_of_hardware(ARPHRD_PPP) == 113);  // cooked
  CHECK(dlt_of_hardware(ARPHRD_VOID) == 113);
}

TEST_CASE("ports of switch chips by the protocol of their tags") {
  CHECK(capture::dlt_of_tagging("none") == 1);
  CHECK(capture::dlt_of_tagging("brcm") == 281);
  CHECK(capture::dlt_of_tagging("brcm-prepend") == 282);
  CHECK(capture::dlt_of_tagging("dsa") == 284);
  CHECK(capture::dlt_of_tagging("edsa") == 285);
  CHECK(!capture::dlt_of_tagging("ocelot"));
}

TEST_CASE("the interfaces of this host") {
  const auto all = capture::interfaces();
  REQUIRE(all);
  for (const auto& one : *all) {
    CAPTURE(one.name);
    CHECK(one.index > 0);
    CHECK(capture::find_interface(one.name)->index == one.index);
  }
  const auto none = capture::find_interface("no-such-interface");
  REQUIRE(!none);
  CHECK(none.error().message == "there is no interface 'no-such-interface'");
}
