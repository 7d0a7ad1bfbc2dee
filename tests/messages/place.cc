#include "place.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <memory>
#include <regex>

#include "facts.hpp"

namespace weir::messages {
namespace {

// ---- syntax: asked of libpcap's own parser

struct Close {
  void operator()(pcap_t* p) const { pcap_close(p); }
};

/// Whether the text is an expression for libpcap's parser, whatever its code generator thinks of it.
bool parses(const std::string& text) {
  const std::unique_ptr<pcap_t, Close> pcap(pcap_open_dead(DLT_EN10MB, 65535));
  bpf_program program = {};
  if (pcap_compile(pcap.get(), &program, text.c_str(), 0, 0) == 0) {
    pcap_freecode(&program);
    return true;
  }
  return std::string(pcap_geterr(pcap.get())).find("syntax error") == std::string::npos;
}

/// Whether something can follow that makes an expression of it: tries what can stand between two words.
bool can_go_on(const std::string& start) {
  static constexpr const char* ends[] = {
      "",        " 1",      " 10.0.0.1",           " = 1",     " != 0",          " host 10.0.0.1", " ip", " x", " ] = 1",
      " 0] = 1", " 1] = 1", " mask 255.255.255.0", " [0] = 1", " 255.255.255.0", " link"};
  for (const char* end : ends)
    for (const char* close : {"", " )", " ))"})
      if (parses(start + end + close)) return true;
  return false;
}

/// What comes before the place can be gone on with, and with the place it cannot.
std::string wrong_place_of_syntax(const std::string& filter, Span at) {
  const std::string before = filter.substr(0, at.begin), with = filter.substr(0, at.end);
  if (!can_go_on(before)) return fmt::format("no expression begins with '{}', so the fault lies before the place", before);
  const bool at_end = with.size() == filter.size();  // the fault may be what is missing behind it
  if (!at_end && can_go_on(with)) return fmt::format("an expression may begin with '{}', so the fault lies behind the place", with);
  return {};
}

// ---- meaning: the words that libpcap's message names

struct Shape {
  const char* message;  ///< what the message says, without naming the words
  const char* words;    ///< what they look like
};

/// For messages that quote nothing.
constexpr Shape shapes[] = {
    {"^Ethernet address used", "[0-9a-fA-F]{1,4}[:.-][0-9a-fA-F]{1,4}|[0-9a-fA-F]{12}"},
    {"IPv4 address", R"([0-9]+\.[0-9]+)"},
    {"IPv6 address", "[0-9a-fA-F:]*:[0-9a-fA-F:.]*"},
    {"prefix length", "/[0-9]+"},
    {"and netmask", "mask [0-9.]+"},
    {"^not a live capture$", "ifindex|inbound|outbound"},
    {"^non-network bits", "[/.]|mask"},
    {"^802.11 link-layer types", "type"},
    {"^Mask syntax", "/[0-9]+"},
};

std::string wrong_place_of_meaning(const std::string& filter, const std::string& words, const std::string& message) {
  static const std::regex qualifiers("^unknown '[^']+' value ");  // these are right, the value is not
  for (const std::string& word : quoted(std::regex_replace(message, qualifiers, "")))
    if (tells(filter, word) && !tells(words, word)) return fmt::format("libpcap names '{}'", word);
  for (const Shape& shape : shapes)
    if (std::regex_search(message, std::regex(shape.message)) && !std::regex_search(words, std::regex(shape.words)))
      return fmt::format("there is nothing like /{}/ in it", shape.words);
  static const std::regex joint(R"(\b(and|or)\b|&&|\|\|)");
  if (std::regex_search(words, joint)) return "it covers several conditions";
  return {};
}

}  // namespace

std::string wrong_place(const std::string& filter, Span at, const std::string& message) {
  if (at.empty()) return "there is none";
  if (at.end > filter.size()) return "it lies outside the filter";
  if (message.find("syntax error") != message.npos) return wrong_place_of_syntax(filter, at);
  return wrong_place_of_meaning(filter, filter.substr(at.begin, at.end - at.begin), message);
}

}  // namespace weir::messages
