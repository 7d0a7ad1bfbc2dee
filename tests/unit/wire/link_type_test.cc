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

TEST_CASE("no link type that the installed libpcap compiles for is missing") {
  // pcap/dlt.h gives these four no meaning, but a number among others that it has.
  constexpr int reserved[] = {106, 110, 111, 208};
  for (int dlt = 0; dlt < 400; ++dlt) {
    CAPTURE(dlt);
    pcap_t* handle = pcap_open_dead(dlt, 100);
    bpf_program program{};
    const bool compiles = pcap_compile(handle, &program, "len > 5", 0, PCAP_NETMASK_UNKNOWN) == 0;
    if (compiles) pcap_freecode(&program);
    pcap_close(handle);
    if (compiles && std::ranges::find(reserved, dlt) == std::end(reserved)) CHECK(find_link_type(dlt) != nullptr);
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

TEST_CASE("what filters can ask for") {
  const auto of = [](const char* name) { return families(find_link_type(name)->layout); };
  CHECK(of("EN10MB") == "bytes protocols ip stations vlan mpls llc");
  CHECK(of("IEEE802_11_RADIO") == "bytes protocols ip stations 802.11 vlan llc");
  CHECK(of("USB_LINUX") == "bytes");
  CHECK(of("LINUX_SLL2") == "bytes protocols ip direction interface");
  CHECK(of("JUNIPER_VP") == "bytes protocols direction");
  CHECK(of("LTALK") == "bytes protocols");
  CHECK(of("SUNATM") == "bytes protocols ip llc atm");
  CHECK(of("MTP2") == "bytes ss7");
  CHECK(of("PFLOG") == "bytes protocols ip direction pf");
}

TEST_CASE("layouts agree with themselves") {
  int known = 0;
  for (const LinkType& row : link_types()) {
    CAPTURE(row.name);
    const Layout& layout = row.layout;
    known += layout.type_field != TypeField::None;
    if (layout.type_field == TypeField::Ethernet || layout.type_field == TypeField::Sll)
      CHECK(layout.payload == layout.type_offset + 2);
    if (layout.type_field == TypeField::Ethernet) CHECK(layout.addresses == Addresses::Mac48);
    if (layout.header > 0) CHECK(layout.type_offset > layout.header);
    if (layout.host_order) CHECK(layout.type_field == TypeField::Family);
    if (layout.prefix != Prefix::None) CHECK(layout.addresses == Addresses::Wlan);
    if (layout.addresses == Addresses::Wlan) CHECK(layout.type_field == TypeField::Llc);
    CHECK((layout.addresses == Addresses::Mac8) == layout.broadcast.has_value());
    CHECK((layout.type_field == TypeField::FamilyByte) == (layout.inet6 != 0));
    if (layout.llc) CHECK(layout.network_no_snap == 3);
    if (layout.type_field == TypeField::None) CHECK(layout.type_offset == unset);
    const Direction& d = layout.direction;
    if (d.size > 0) CHECK((d.outbound & ~d.mask) == 0);
    if (d.inbound) CHECK((*d.inbound & ~d.inbound_mask) == 0);
  }
  CHECK(known == 63);
}
