#include "reference.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace weir::oracle {
namespace {

/// A handle on a live Ethernet-like interface: only such a one makes libpcap use the kernel's VLAN metadata.
pcap_t* open_live(std::uint32_t snaplen) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  pcap_t* p = pcap_create("lo", error.data());
  if (p == nullptr) return nullptr;
  pcap_set_snaplen(p, static_cast<int>(snaplen));
  pcap_set_buffer_size(p, 65536);
  if (pcap_activate(p) < 0 || pcap_datalink(p) != DLT_EN10MB) {
    pcap_close(p);
    return nullptr;
  }
  return p;
}

/// The header of a savefile, as a host of the other byte order would have written it (pcap-savefile(5): magic, two
/// 16-bit versions, four 32-bit words).
void swap_header(std::array<unsigned char, 24>& header) {
  for (const std::size_t at : {0u, 8u, 12u, 16u, 20u}) std::reverse(&header[at], &header[at] + 4);
  for (const std::size_t at : {4u, 6u}) std::reverse(&header[at], &header[at] + 2);
}

/// A savefile without packets, written by a host of the given byte order.
pcap_t* open_savefile(int dlt, std::uint32_t snaplen, Savefile order) {
  std::array<unsigned char, 24> header{};
  pcap_t* dead = pcap_open_dead(dlt, static_cast<int>(snaplen));
  pcap_dumper_t* dumper = pcap_dump_fopen(dead, fmemopen(header.data(), header.size(), "w"));
  if (dumper != nullptr) pcap_dump_close(dumper);
  pcap_close(dead);
  if (order == Savefile::Swapped) swap_header(header);
  FILE* file = std::tmpfile();
  if (file == nullptr) return nullptr;
  std::fwrite(header.data(), 1, header.size(), file);
  std::rewind(file);
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  return pcap_fopen_offline(file, error.data());
}

}  // namespace

pcap_t* Reference::handle(const Setting& s) {
  const bool live = s.linux_ext && s.link_type == "EN10MB";
  const auto [place, is_new] = handles_.try_emplace(Key{s.link_type, s.snaplen, live, s.savefile});
  if (is_new && live) {
    place->second.reset(open_live(s.snaplen));
    live_ = place->second != nullptr;
  }
  if (!place->second) {
    const int dlt = wire::find_link_type(s.link_type)->dlt;  // HDLC and HHDLC have no name in libpcap
    place->second.reset(s.savefile != Savefile::None ? open_savefile(dlt, s.snaplen, s.savefile)
                                                     : pcap_open_dead(dlt, static_cast<int>(s.snaplen)));
  }
  return place->second.get();
}

bool Reference::available(const Setting& setting, const std::string& filter) {
  const bool live = setting.linux_ext && setting.link_type == "EN10MB" && filter.find("vlan") != std::string::npos;
  return !live || (handle(setting) != nullptr && live_);
}

std::expected<cbpf::Program, std::string> Reference::compile(const Setting& setting, const std::string& filter, bool optimized) {
  pcap_t* p = handle(setting);
  if (p == nullptr) return std::unexpected("libpcap cannot open a handle for this setting");
  bpf_program code{};
  if (pcap_compile(p, &code, filter.c_str(), optimized ? 1 : 0, setting.netmask.value_or(PCAP_NETMASK_UNKNOWN)) != 0)
    return std::unexpected(pcap_geterr(p));
  cbpf::Program program;
  program.instructions.reserve(code.bf_len);
  for (const bpf_insn* i = code.bf_insns; i != code.bf_insns + code.bf_len; ++i)
    program.instructions.push_back({i->code, i->jt, i->jf, i->k});
  pcap_freecode(&code);
  return program;
}

namespace {

/// The program behind stores of 0 to all scratch words: bpf_filter leaves there what its stack happens to hold, and
/// the code for `geneve` reads words that nothing has written.
std::vector<bpf_insn> with_clear_scratch(const cbpf::Program& p) {
  std::vector<bpf_insn> code;
  code.reserve(p.instructions.size() + cbpf::scratch_words);
  for (std::uint32_t word = 0; word < cbpf::scratch_words; ++word) code.push_back({BPF_ST, 0, 0, word});
  for (const cbpf::Instruction& i : p.instructions) code.push_back({i.code, i.jt, i.jf, i.k});
  return code;
}

}  // namespace

std::uint32_t run_libpcap(const cbpf::Program& p, const Packet& packet) {
  // A null pointer would be taken for "no packet"; an empty packet still has an address.
  static constexpr unsigned char nothing = 0;
  const unsigned char* bytes = packet.bytes.empty() ? &nothing : packet.bytes.data();
  return bpf_filter(with_clear_scratch(p).data(), bytes, packet.length, static_cast<unsigned>(packet.bytes.size()));
}

std::string libpcap_version() { return pcap_lib_version(); }

}  // namespace weir::oracle
