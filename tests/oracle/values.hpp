// The addresses, ports and tags that generated filters ask for and generated packets carry. Few of each, so that
// filters meet packets; neighbours, so that ranges and prefixes have edges.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace weir::oracle {

inline constexpr std::array<std::string_view, 12> ipv4_hosts = {
    "10.0.0.1", "10.0.0.2", "10.0.1.7", "192.168.1.1", "192.168.1.255", "172.16.5.9",
    "127.0.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", "0.0.0.0", "10.255.255.255"};
inline constexpr std::array<std::uint32_t, 12> ipv4_numbers = {
    0x0a000001, 0x0a000002, 0x0a000107, 0xc0a80101, 0xc0a801ff, 0xac100509,
    0x7f000001, 0xe0000001, 0xef010203, 0xffffffff, 0x00000000, 0x0affffff};
inline constexpr std::array<std::string_view, 6> ipv6_hosts = {
    "::1", "fe80::1", "2001:db8::1", "2001:db8::2", "ff02::1", "2001:db8:1:2:3:4:5:6"};
inline constexpr std::array<std::array<std::uint32_t, 4>, 6> ipv6_numbers = {{
    {0, 0, 0, 1}, {0xfe800000, 0, 0, 1}, {0x20010db8, 0, 0, 1}, {0x20010db8, 0, 0, 2}, {0xff020000, 0, 0, 1},
    {0x20010db8, 0x00010002, 0x00030004, 0x00050006}}};
inline constexpr std::array<std::string_view, 5> macs = {
    "00:11:22:33:44:55", "00:11:22:33:44:56", "ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:0e", "aa:00:04:00:14:0e"};
inline constexpr std::array<std::array<std::uint8_t, 6>, 5> mac_numbers = {{
    {0x00, 0x11, 0x22, 0x33, 0x44, 0x55}, {0x00, 0x11, 0x22, 0x33, 0x44, 0x56}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e}, {0xaa, 0x00, 0x04, 0x00, 0x14, 0x0e}}};
inline constexpr std::array<std::uint16_t, 10> ports = {80, 443, 53, 22, 81, 8080, 0, 65535, 6081, 4789};
/// Every protocol number that a primitive of the language tests, and two that none does.
inline constexpr std::array<std::uint8_t, 20> ip_protocols = {
    6, 17, 1, 132, 2, 9, 103, 112, 51, 50, 58, 0, 43, 44, 60, 59, 4, 41, 47, 200};
inline constexpr std::array<std::uint16_t, 20> ethertypes = {
    0x0800, 0x86dd, 0x0806, 0x8035, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8863, 0x8864, 0x6003, 0x809b, 0x80f3,
    0x8137, 0x6004, 0x6007, 0x6002, 0x88cc, 0x8809};

}  // namespace weir::oracle
