// Words, seen through whole filters: which shape a word is taken for, and which words are refused.
#include <doctest/doctest.h>

#include <string>

#include "dump.hpp"

namespace weir::grammar {
namespace {

struct Case {
  std::string word;
  std::string id;
};

TEST_CASE("what a word is") {
  const Case cases[] = {
      {"80", "number 80"},
      {"0x50", "number 80"},
      {"0X5f", "number 95"},
      {"010", "number 8"},
      {"4294967295", "number 4294967295"},
      {"0xffffffff", "number 4294967295"},
      {"037777777777", "mac48 037777777777"},
      {"0037777777777", "number 4294967295"},
      {"0000000000000000000000001", "number 1"},
      {"123456789012", "mac48 123456789012"},
      {"aabbccddeeff", "mac48 aabbccddeeff"},
      {"0011.2233.4455", "mac48 0011.2233.4455"},
      {"0-1-2-3-4-55", "mac48 0-1-2-3-4-55"},
      {"0.1.2.3.4.5", "mac48 0.1.2.3.4.5"},
      {"0:1:2:3:4:5", "mac48 0:1:2:3:4:5"},
      {"$5", "mac8 $5"},
      {"1.2", "ipv4 1.2"},
      {"1.2.3", "ipv4 1.2.3"},
      {"0x1.02.3.400", "ipv4 0x1.02.3.400"},
      {"1.2.3.4.5", "name 1.2.3.4.5"},
      {"1.2.3.", "name 1.2.3."},
      {"80and", "name 80and"},
      {"0x", "name 0x"},
      {"0xyz", "name 0xyz"},
      {"len-1", "name len-1"},
      {"1-1", "name 1-1"},
      {"a_b.c-d.", "name a_b.c-d."},
      {"Host", "name Host"},
      {"ftp-data-90", "name ftp-data-90"},
      {"icmp6-foo", "name icmp6-foo"},
      {"tcp-syn", "number 2"},
      {"icmp6-multicastrouterterm", "number 153"},
      {"\\host", "name \\host"},
      {"\\1.2.3.4/x#[]", "name \\1.2.3.4/x#[]"},
      {"::", "ipv6 ::"},
      {"::1", "ipv6 ::1"},
      {"1::", "ipv6 1::"},
      {"1:2:3:4:5:6:7::", "ipv6 1:2:3:4:5:6:7::"},
      {"1:2:3:4:5:6:7:8", "ipv6 1:2:3:4:5:6:7:8"},
      {"::2:3:4:5:6:7:8", "ipv6 ::2:3:4:5:6:7:8"},
      {"fe80::a:b", "ipv6 fe80::a:b"},
      {"::ffff:1.2.3.4", "ipv6 ::ffff:1.2.3.4"},
      {"1:2:3:4:5:6:1.2.3.4", "ipv6 1:2:3:4:5:6:1.2.3.4"},
      {"1:2:3:4:5::1.2.3.4", "ipv6 1:2:3:4:5::1.2.3.4"},
      {"::1.2.3.4", "ipv6 ::1.2.3.4"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.word);
    CHECK(parsed("host " + c.word) == "host " + c.id);
    CHECK(parsed("host(" + c.word + " and a)") == "host{chain{" + c.id + ", and name a}}");
  }
}

TEST_CASE("words that mean nothing") {
  const Case cases[] = {
      {"00377777777778", "number 00377777777778 contains non-octal digit"},
      {"003777777777778", "octal number 003777777777778 overflows 32 bits"},
      {"0X100000000", "hexadecimal number 0X100000000 overflows 32 bits"},
      {"4294967296", "decimal number 4294967296 overflows 32 bits"},
      {"08", "number 08 contains non-octal digit"},
      {"fe80::256.20.30.40", "invalid IPv6 address fe80::256.20.30.40"},
      {"fe80:0:0:0:0:0:0:0:0", "syntax error: unexpected ':'"},
      {"1:2:3:", "bogus Ethernet address 1:2:3:"},
      {"1::2:", "bogus Ethernet address 1::2:"},
      {"$123", "syntax error: unexpected '3'"},
      {"$x", "syntax error: unexpected '$'"},
      {"\\", "syntax error: unexpected '\\'"},
      {"\\(", "syntax error: unexpected '\\'"},
      {"a- b", "syntax error: unexpected '-'"},
      {std::string("a\0b", 3), "syntax error: unexpected character U+0000"},
      {std::string("\\a\0b", 4), "syntax error: unexpected character U+0000"},
      {"\xe2\x80\x9c", "syntax error: unexpected '\xe2\x80\x9c' (U+201C)"},
      {"\xff", "syntax error: unexpected '\\xff'"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.word);
    CHECK(parsed("host " + c.word) == "error: " + c.id);
  }
}

TEST_CASE("very long words are refused with a short message") {
  for (const std::string& word : {repeat("1:", 100'000), "0x" + repeat("f", 100'000), repeat("a", 100'000) + " b"}) {
    const Result<ast::Expr> e = parse("host " + word);
    REQUIRE(!e);
    CHECK(e.error().message.size() < 150);
  }
}

TEST_CASE("arbitrary bytes never do worse than an error") {
  std::uint32_t seed = 1;
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (int i = 0; i < 24; ++i) {
      seed = seed * 1664525 + 1013904223;
      text += static_cast<char>(seed >> 24);
    }
    const Result<ast::Expr> e = parse(text);
    if (!e) CHECK(e.error().span.end <= text.size());
  }
}

}  // namespace
}  // namespace weir::grammar
