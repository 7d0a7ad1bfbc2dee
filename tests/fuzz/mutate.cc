// Changes inputs by the word, half of the time: a word is put in, taken out, replaced, repeated or moved, or parentheses are put
// around some. Bytes alone seldom make another filter out of one. What stands behind the first zero byte is left as it is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "random.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed);

namespace weir::fuzz {
namespace {

using oracle::Random;
using Words = std::vector<std::string>;

constexpr std::string_view vocabulary[] = {
#define WEIR_KEYWORD(word, token, value) word,
#include "grammar/keywords.def"
#undef WEIR_KEYWORD
#define WEIR_PROTOCOL(name, ...) __VA_ARGS__,
#include "ast/protocols.def"
#undef WEIR_PROTOCOL
    "(", ")", "[", "]", ":", "!", "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "=", "!=", "<", "<=", ">", ">=", "and", "or", "not",
    "0", "1", "2", "4", "6", "14", "80", "255", "0x800", "1500", "4294967295", "10.0.0.1", "10.0.0.0/8", "2001:db8::1", "00:11:22:33:44:55",
    "20-25", "http", "localhost", "\\tcp", "ether[0]", "ip[ip[9]]", "tcp[13]", "len", "port 80", "host 10.0.0.1", "vlan", "beacon", "tods"};

bool in_word(char c) { return std::string_view(" \t\r\n()[]:+*/%&|^<>=!").find(c) == std::string_view::npos; }

/// Words and single signs; blanks are dropped.
Words split(std::string_view text) {
  Words words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && in_word(text[end])) ++end;
    end = std::max(end, at + 1);
    if (std::string_view(" \t\r\n").find(text[at]) == std::string_view::npos) words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

/// With a blank only between words that would run together, so that `<=` stays one sign and `10.0.0.0/8` one net.
std::string join(const Words& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty() && in_word(text.back()) && in_word(word[0])) text += ' ';
    text += word;
  }
  return text;
}

void change(Words& words, Random& random) {
  const auto place = [&](std::size_t at) { return words.begin() + static_cast<std::ptrdiff_t>(at); };
  const std::string fresh(vocabulary[random.below(std::size(vocabulary))]);
  const std::size_t at = random.below(words.size() + 1), from = words.empty() ? 0 : random.below(words.size());
  const std::size_t to = words.empty() ? 0 : std::min(words.size(), from + 1 + random.below(6));
  const Words part(place(from), place(to));
  switch (random.below(6)) {
    case 0: words.insert(place(at), fresh); break;
    case 1: words.erase(place(from), place(to)); break;
    case 2: if (!words.empty()) words[from] = fresh; break;
    case 3: words.insert(place(at), part.begin(), part.end()); break;
    case 4: words.insert(place(to), ")"), words.insert(place(from), "("); break;
    default:
      words.emplace_back(random.percent(50) ? "and" : "or");
      words.insert(words.end(), part.begin(), part.end());
  }
}

std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t most, Random& random) {
  const std::string all(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(all.find('\0'), size);
  Words words = split(std::string_view(all).substr(0, end));
  for (std::uint32_t i = random.between(1, 3); i > 0; --i) change(words, random);
  const std::string changed = join(words) + all.substr(end);
  if (changed.empty() || changed.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(data, changed.data(), changed.size());
  return changed.size();
}

}  // namespace
}  // namespace weir::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  weir::oracle::Random random(seed);
  if (random.percent(50)) return LLVMFuzzerMutate(data, size, most);
  return weir::fuzz::mutate(data, size, most, random);
}
