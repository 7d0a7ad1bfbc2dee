#include "frames.hpp"

#include <doctest/doctest.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <span>

#include "attach/load.hpp"

namespace weir::kernel {
namespace {

constexpr std::size_t sender_at = 6, sender_size = ETH_ALEN;
constexpr std::size_t number_at = 8;  // in the sender's address: which frame it is

std::span<const std::uint8_t> sender(const Bytes& frame) { return std::span(frame).subspan(sender_at, sender_size); }

}  // namespace

std::vector<Bytes> corpus_frames() {
  std::vector<Bytes> frames;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(WEIR_SOURCE "/corpus/packets"))
    if (entry.path().extension() == ".pcap") files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files) {
    char why[PCAP_ERRBUF_SIZE];
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> in(pcap_open_offline(file.c_str(), why), pcap_close);
    if (!in || pcap_datalink(in.get()) != DLT_EN10MB) continue;
    pcap_pkthdr* header = nullptr;
    const u_char* bytes = nullptr;
    while (pcap_next_ex(in.get(), &header, &bytes) == 1) {
      Bytes frame(bytes, bytes + header->caplen);
      if (frame.size() < 20 || frame.size() > 8000) continue;  // shorter ones with a tag the kernel drops (skb_vlan_untag())
      const auto number = static_cast<std::uint32_t>(frames.size());
      for (std::size_t i = 0; i < 4; ++i) frame[number_at + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
      frame[sender_at] = 2, frame[sender_at + 1] = 0;  // no multicast address
      frames.push_back(std::move(frame));
    }
  }
  return frames;
}

std::vector<Bytes> grown(const std::vector<Bytes>& frames) {
  std::vector<Bytes> all;
  for (std::size_t i = 0; i < frames.size(); i += 8) {
    Bytes frame = frames[i];
    auto next = static_cast<std::uint32_t>(i);
    while (frame.size() < 4200 + i * 7 % 4700) frame.push_back(static_cast<std::uint8_t>((next = next * 1664525 + 1013904223) >> 24));
    all.push_back(std::move(frame));
  }
  return all;
}

std::uint32_t number_of(const Bytes& frame) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | frame[number_at + i];
  return number;
}

std::optional<std::uint32_t> number_among(const std::vector<Bytes>& sent, const Bytes& frame) {
  if (frame.size() < sender_at + sender_size) return std::nullopt;
  const std::uint32_t number = number_of(frame);
  const auto own = std::ranges::lower_bound(sent, number, {}, number_of);
  if (own == sent.end() || !std::ranges::equal(sender(*own), sender(frame))) return std::nullopt;
  return number;
}

Seen after_untagging(const Bytes& frame, std::uint32_t interface) {
  Seen seen{frame, {.interface_index = interface}};
  const std::uint32_t type = std::uint32_t{frame[12]} << 8 | frame[13];
  if (type != ETH_P_8021Q && type != ETH_P_8021AD) return seen;
  seen.meta.vlan_tag_present = 1;
  seen.meta.vlan_protocol = type;
  seen.meta.vlan_tag = std::uint32_t{frame[14]} << 8 | frame[15];
  seen.bytes.erase(seen.bytes.begin() + 12, seen.bytes.begin() + 16);
  return seen;
}

Result<Filter> compiled(const char* text, bool untagged) {
  Options options;
  options.linux_ext = untagged;
  return compile(text, options);
}

std::set<std::uint32_t> accepted(const Filter& filter, const std::vector<Bytes>& frames, bool untagged) {
  std::set<std::uint32_t> numbers;
  const unsigned interface = ::if_nametoindex("far");
  for (const Bytes& frame : frames) {
    const Seen seen = untagged ? after_untagging(frame, interface) : Seen{frame, {}};
    if (filter.match({.bytes = seen.bytes, .length = static_cast<std::uint32_t>(seen.bytes.size()), .meta = seen.meta}))
      numbers.insert(number_of(frame));
  }
  return numbers;
}

std::string difference(const std::set<std::uint32_t>& got, const std::set<std::uint32_t>& expected, const std::vector<Bytes>& frames) {
  std::vector<std::uint32_t> other;
  std::ranges::set_symmetric_difference(got, expected, std::back_inserter(other));
  if (other.empty()) return {};
  const Bytes& frame = *std::ranges::find(frames, other.front(), number_of);
  std::string text = "frame " + std::to_string(other.front()) + " (" + std::to_string(frame.size()) + " bytes) " +
                     (got.contains(other.front()) ? "passed and should not: " : "did not pass and should: ");
  constexpr char digits[] = "0123456789abcdef";
  for (const std::uint8_t b : frame) text += {digits[b >> 4], digits[b & 15]};
  return text + ", and " + std::to_string(other.size() - 1) + " more";
}

std::vector<Place> places() {
  using Mode = AttachOptions::XdpMode;
  return {
      {"XDP, native", {.hook = Hook::Xdp, .count = true, .xdp_mode = Mode::Native}, "far", false},
      {"XDP, generic", {.hook = Hook::Xdp, .xdp_mode = Mode::Generic}, "far", false},
      {"tcx, ingress", {.hook = Hook::TcIngress, .match = tc_next, .no_match = tc_drop, .count = true}, "far", true},
      {"clsact, ingress", {.hook = Hook::TcIngress, .match = tc_next, .no_match = tc_drop, .clsact = true}, "far", true},
      {"tcx, egress", {.hook = Hook::TcEgress}, "near", false},
      {"clsact, egress", {.hook = Hook::TcEgress, .clsact = true}, "near", false},
  };
}

attach::ClsactFilter redirected(const char* from, const char* to) {
  using namespace ebpf::op;
  ebpf::Program redirect;
  redirect.hook = ebpf::Hook::TcIngress;
  redirect.instructions = {{.code = ALU64 | MOV | K, .dst = 1, .imm = static_cast<std::int32_t>(::if_nametoindex(to))},
                           {.code = ALU64 | MOV | K, .dst = 2, .imm = 0},
                           {.code = JMP | CALL, .imm = 23},  // bpf_redirect
                           {.code = JMP | EXIT}};
  const auto loaded = attach::Loaded::load(redirect, {});
  REQUIRE(loaded);
  auto filter = attach::attach_clsact(*loaded, {static_cast<int>(::if_nametoindex(from)), from});
  REQUIRE(filter);
  return std::move(*filter);
}

}  // namespace weir::kernel
