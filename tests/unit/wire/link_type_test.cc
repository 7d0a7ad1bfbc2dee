#include "wire/link_type.hpp"

#include <doctest/doctest.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace weir::wire;

TEST_CASE("every link type that the installed libpcap knows is here under its name and number") {
  int known = 0;
  for (int dlt = 0; dlt < 1024; ++dlt) {
    const char* name = pcap_datalink_val_to_name(dlt);
    if (!name) continue;
    CAPTURE(name);
    ++known;
    const LinkType* row = find_link_type(name);
    REQUIRE(row);
    CHECK(row->dlt == dlt);
    CHECK(row->name == name);
  }
  CHECK(known > 100);
}

TEST_CASE("a name that the installed libpcap knows too has the number it has there") {
  for (const LinkType& row : link_types()) {
    CAPTURE(row.name);
    const int dlt = pcap_datalink_name_to_val(std::string(row.name).c_str());
    if (dlt != -1) CHECK(row.dlt == dlt);
  }
}

TEST_CASE("descriptions are one line of our own") {
  for (const LinkType& row : link_types()) {
    CAPTURE(row.name);
    CHECK(!row.description.empty());
    CHECK(row.description.find('\n') == std::string_view::npos);
    CHECK(row.description.back() != '.');
  }
}

TEST_CASE("rows are sorted by name") {
  CHECK(std::ranges::is_sorted(link_types(), {}, &LinkType::name));
}

TEST_CASE("find_link_type by name") {
  const LinkType* ethernet = find_link_type("EN10MB");
  REQUIRE(ethernet);
  CHECK(ethernet->dlt == 1);
  for (const char* name : {"en10mb", "DLT_EN10MB", "dlt_en10mb"}) {
    CAPTURE(name);
    CHECK(find_link_type(name) == ethernet);
  }
  for (const char* name : {"", "DLT_", "EN10M", "EN10MBX", "DLT_DLT_EN10MB", "ETHERNET"}) {
    CAPTURE(name);
    CHECK(find_link_type(name) == nullptr);
  }
}

TEST_CASE("find_link_type by number") {
  CHECK(find_link_type(12) == find_link_type("RAW"));
  CHECK(find_link_type(101) == nullptr);  // LINKTYPE_RAW of savefiles is no DLT_
  CHECK(find_link_type(-1) == nullptr);
  for (const LinkType& row : link_types()) {
    CAPTURE(row.name);
    const LinkType* found = find_link_type(row.dlt);
    REQUIRE(found);
    CHECK(found->dlt == row.dlt);
  }
}

TEST_CASE("the link types that are built") {
  std::vector<std::string_view> built;
  for (const LinkType& row : link_types())
    if (row.layout) built.push_back(row.name);
  CHECK(built == std::vector<std::string_view>{"EN10MB", "IEEE802_11_RADIO", "IPV4", "IPV6", "LINUX_SLL",
                                               "LINUX_SLL2", "LOOP", "NULL", "PPP", "RAW"});
}

TEST_CASE("layouts agree with themselves") {
  for (const LinkType& row : link_types()) {
    if (!row.layout) continue;
    CAPTURE(row.name);
    const Layout& layout = *row.layout;
    CHECK(layout.type_field != TypeField::None);
    if (layout.type_field == TypeField::Ethernet || layout.type_field == TypeField::Sll)
      CHECK(layout.payload == layout.type_offset + 2);
    CHECK(layout.host_order == (row.name == "NULL"));
    CHECK((layout.prefix != Prefix::None) == (layout.addresses == Addresses::Wlan));
    if (layout.llc) CHECK(layout.network_no_snap == 3);
  }
}
