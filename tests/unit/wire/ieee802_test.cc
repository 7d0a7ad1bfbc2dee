#include "wire/ieee802.hpp"

#include <doctest/doctest.h>

using namespace weir::wire;

TEST_CASE("wlan_type") {
  CHECK(wlan_type("mgt") == wlan_management);
  CHECK(wlan_type("management") == wlan_management);
  CHECK(wlan_type("CTL") == wlan_control);
  CHECK(wlan_type("Control") == wlan_control);
  CHECK(wlan_type("data") == wlan_data);
  CHECK(wlan_type("beacon") == std::nullopt);
  CHECK(wlan_type("") == std::nullopt);
}

TEST_CASE("wlan_subtype belongs to its type") {
  CHECK(wlan_subtype(wlan_management, "beacon") == 0x80);
  CHECK(wlan_subtype(wlan_management, "Assoc-Req") == 0x00);
  CHECK(wlan_subtype(wlan_control, "ps-poll") == 0xa0);
  CHECK(wlan_subtype(wlan_data, "data") == 0x00);
  CHECK(wlan_subtype(wlan_data, "qos-cf-ack-poll") == 0xf0);
  CHECK(wlan_subtype(wlan_data, "beacon") == std::nullopt);
  CHECK(wlan_subtype(0x0c, "beacon") == std::nullopt);
}

TEST_CASE("wlan_any_subtype brings its type along") {
  CHECK(wlan_any_subtype("deauthentication") == 0xc0);
  CHECK(wlan_any_subtype("ack") == 0xd4);
  CHECK(wlan_any_subtype("data") == 0x08);
  CHECK(wlan_any_subtype("qos") == 0xc8);
  CHECK(wlan_any_subtype("mgt") == std::nullopt);
}

TEST_CASE("wlan_direction") {
  CHECK(wlan_direction("nods") == 0);
  CHECK(wlan_direction("ToDS") == 1);
  CHECK(wlan_direction("fromds") == 2);
  CHECK(wlan_direction("dstods") == 3);
  CHECK(wlan_direction("in") == std::nullopt);
}

TEST_CASE("llc_kind") {
  CHECK(llc_kind("i") == LlcKind{0x00, 0x01});
  CHECK(llc_kind("S") == LlcKind{0x01, 0x03});
  CHECK(llc_kind("u") == LlcKind{0x03, 0x03});
  CHECK(llc_kind("rnr") == LlcKind{0x05, 0x0f});
  CHECK(llc_kind("SABME") == LlcKind{0x6f, 0xef});
  CHECK(llc_kind("x") == std::nullopt);
}

TEST_CASE("no bit of an llc kind's value is outside its mask, and its format is that of its name") {
  for (const char* name : {"rr", "rnr", "rej"}) {
    CAPTURE(name);
    const LlcKind kind = llc_kind(name).value();
    CHECK((kind.value & ~kind.mask) == 0);
    CHECK((kind.value & 0x03) == 0x01);
  }
  for (const char* name : {"ui", "ua", "disc", "dm", "sabme", "test", "xid", "frmr"}) {
    CAPTURE(name);
    const LlcKind kind = llc_kind(name).value();
    CHECK((kind.value & ~kind.mask) == 0);
    CHECK((kind.value & 0x03) == 0x03);
  }
}
