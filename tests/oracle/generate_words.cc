// Most such filters are refused, and both sides must refuse the same; a word that one side alone finds in its tables shows here.
#include <cctype>
#include <span>

#include "generate.hpp"

namespace weir::oracle {
namespace {

constexpr const char* keywords[] = {
#define WEIR_KEYWORD(word, token, value) word,
#include "grammar/keywords.def"
#undef WEIR_KEYWORD
#define WEIR_PROTOCOL(name, ...) __VA_ARGS__,
#include "ast/protocols.def"
#undef WEIR_PROTOCOL
};

/// Words that only stand behind certain keywords.
constexpr const char* table_words[] = {
#define WEIR_PF_REASON(word, number) word,
#define WEIR_PF_ACTION(word, number) word,
#include "wire/pf.def"
#undef WEIR_PF_REASON
#undef WEIR_PF_ACTION
#define WEIR_WLAN_TYPE(word, number) word,
#define WEIR_WLAN_SUBTYPE(type, word, number) word,
#define WEIR_WLAN_DIRECTION(word, number) word,
#include "wire/wlan.def"
#undef WEIR_WLAN_TYPE
#undef WEIR_WLAN_SUBTYPE
#undef WEIR_WLAN_DIRECTION
#define WEIR_LLC_KIND(word, value, mask) word,
#include "wire/llc.def"
#undef WEIR_LLC_KIND
};

/// Keywords before such words.
constexpr const char* before_table_words[] = {"reason",
                                              "action",
                                              "type",
                                              "subtype",
                                              "dir",
                                              "direction",
                                              "llc",
                                              "wlan type",
                                              "wlan subtype",
                                              "ifname",
                                              "rset",
                                              "type mgt subtype",
                                              "type 4 subtype",
                                              "type data subtype",
                                              "ip type",
                                              "ether dir"};

constexpr const char* ids[] = {"80",
                               "0",
                               "1",
                               "65535",
                               "65536",
                               "010",
                               "09",
                               "0x10",
                               "0X1f",
                               "4294967295",
                               "4294967296",
                               "017777777777",
                               "037777777777",
                               "1.2",
                               "1.2.3",
                               "1.2.3.256",
                               "010.0.0.1",
                               "10.0.0.0/8",
                               "10/8",
                               "10.0.0.0/33",
                               "10.1 mask 255.255",
                               "10 mask 255",
                               "10.0.0.1 mask 255.0.255.255",
                               "::",
                               "1::",
                               "::ffff:1.2.3.4",
                               "1:2:3:4:5:6:7:8",
                               "1::2::3",
                               "::1/128",
                               "::/0",
                               "2001:db8::1/32",
                               "a:b",
                               "aa:bb:cc",
                               "aa:bb:cc:dd:ee:ff",
                               "a:b:c:d:e:f",
                               "aa-bb-cc-dd-ee-ff",
                               "aa.bb.cc.dd.ee.ff",
                               "aabb.ccdd.eeff",
                               "aabbccddeeff",
                               "001122334455",
                               "0011223344556",
                               "$1f",
                               "$f",
                               "$123",
                               "80-90",
                               "90-80",
                               "80-",
                               "-80",
                               "80-http",
                               "010-020",
                               "1-2-3",
                               "63.1023",
                               "64.1",
                               "\\tcp",
                               "\\ip",
                               "\\esis",
                               "\\80",
                               "http",
                               "domain",
                               "localhost",
                               "loopback",
                               "lldp",
                               "tcp-syn",
                               "80and"};

constexpr const char* signs[] = {"and", "or", "not", "&&", "||", "!",  "(",  ")",  "[",  "]", ":",  "+",
                                 "-",   "*",  "/",   "%",  "&",  "|",  "^",  "<<", ">>", "<", "<=", ">",
                                 ">=",  "=",  "==",  "!=", "<>", "=<", "\\", "@",  "\"", ","};

class WordsGenerator {
 public:
  explicit WordsGenerator(Random& random) : r_(random) {}

  std::string run() {
    if (r_.percent(25)) return row();
    if (r_.percent(35)) return any(before_table_words) + " " + in_some_case(any(table_words));
    return any(keywords) + " " + value();
  }

 private:
  std::string any(std::span<const char* const> words) { return r_.pick(words); }

  std::string in_some_case(std::string word) {
    if (r_.percent(50)) return word;
    for (char& c : word)
      if (r_.percent(60)) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return word;
  }

  std::string value() {
    switch (r_.below(6)) {
      case 0: return "(" + any(ids) + ")";
      case 1: return "(" + any(ids) + r_.pick({" or ", " and "}) + any(ids) + ")";
      case 2: return r_.pick({"= ", "!= ", "< ", "<= ", "> ", ">= ", "& "}) + any(ids);
      case 3: return any(ids) + " " + r_.pick({"=", "<", ">", "&", "|", "!="}) + " " + any(ids);
      default: return any(ids);
    }
  }

  std::string row() {
    std::string text;
    for (std::uint32_t words = r_.between(1, 6); words > 0; --words) {
      const std::uint32_t what = r_.below(100);
      text += what < 50 ? any(keywords) : what < 75 ? any(ids) : any(signs);
      if (words > 1 && r_.percent(90)) text += " ";
    }
    return text;
  }

  Random& r_;
};

}  // namespace

Generated generate_words(std::string_view link_type, Random& random) {
  Generated result;
  result.setting.link_type = link_type;
  if (random.percent(10)) result.setting.savefile = Savefile::Native;
  result.filter = WordsGenerator(random).run();
  result.kinds.set(static_cast<std::size_t>(Kind::Words));
  return result;
}

}  // namespace weir::oracle
