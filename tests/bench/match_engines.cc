#include <pcap/pcap.h>
#include <pthread.h>

#include "match_engines.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "aimed.hpp"
#include "lists.hpp"
#include "native/emit.hpp"
#include "vm/cbpf.hpp"

namespace weir::bench {

std::vector<Row> match_rows(std::string_view name) {
  std::vector<Row> all = {
      {"ip", "ip", "ip"},
      {"tcp port 80", "tcp port 80", "tcp port 80"},
      {"host and port", "host and port", "host 10.1.2.3 and tcp port 443"},
      {"syn or fin", "syn or fin", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 10.0.0.0/8"},
      {"http payload", "http payload", "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)"},
      {"ip6 udp 53", "ip6 udp 53", "ip6 and udp port 53"},
      {"three ports", "three ports", "portrange 6000-6063 or port 53 or port 123"},
  };
  for (const std::size_t n : {20u, 100u, 1000u, 10000u})
    all.push_back({fmt::format("{} hosts", n), n <= 400 ? "few hosts" : "many hosts", list_filter(list_kinds()[0], n), n});
  if (!name.empty()) std::erase_if(all, [&](const Row& row) { return row.name != name; });
  return all;
}

std::shared_ptr<hand_hosts> hosts_of(std::size_t count) {
  if (count == 0) return nullptr;
  std::vector<std::uint32_t> addresses;
  for (std::size_t i = 0; i < count; ++i) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    std::sscanf(list_kinds()[0].element(i).c_str(), "host %u.%u.%u.%u", &a, &b, &c, &d);
    addresses.push_back(a | b << 8 | c << 16 | d << 24);
  }
  return {hand_hosts_new(addresses.data(), count), hand_hosts_free};
}

namespace {

Packets make_packets(const TrafficModel& model, const std::vector<oracle::Sample>& aimed, std::size_t count) {
  Packets p;
  oracle::Setting setting;
  setting.link_type = "EN10MB";
  oracle::Random random(7);
  std::vector<std::pair<std::size_t, std::uint32_t>> places;
  for (std::size_t i = 0; i < count; ++i) {
    const bool aim = !aimed.empty() && random.percent(model.aimed_percent());
    const oracle::Sample s = aim ? aimed[random.below(aimed.size())] : packet(model, setting, random);
    // Nothing is cut off: what is counted is the filter, not what cut packets are worth.
    std::vector<std::uint8_t> frame = s.bytes;
    if (frame.size() < 60) frame.resize(60);
    places.emplace_back(p.bytes.size(), static_cast<std::uint32_t>(frame.size()));
    p.bytes.insert(p.bytes.end(), frame.begin(), frame.end());
  }
  for (const auto& [at, length] : places) {
    p.ours.push_back({.bytes = {p.bytes.data() + at, length}, .length = length});
    p.views.push_back({p.bytes.data() + at, length, length});
    p.theirs.push_back({p.bytes.data() + at, length, {}});
  }
  return p;
}

/// Runs on a stack of its own: libpcap recurses along the list.
void with_large_stack(std::function<void()> what) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{1} << 30);
  pthread_t thread{};
  const auto call = [](void* f) -> void* { return (*static_cast<std::function<void()>*>(f))(), nullptr; };
  if (pthread_create(&thread, &attributes, call, &what) == 0) pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

std::vector<bpf_insn> compiled_by_libpcap(const std::string& filter, bool optimize) {
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> handle(pcap_open_dead(DLT_EN10MB, 262144), &pcap_close);
  bpf_program program{};
  if (pcap_compile(handle.get(), &program, filter.c_str(), optimize, PCAP_NETMASK_UNKNOWN) != 0) {
    fmt::print(stderr, "libpcap: {}\n", pcap_geterr(handle.get()));
    return {};
  }
  std::vector<bpf_insn> code(program.bf_insns, program.bf_insns + program.bf_len);
  pcap_freecode(&program);
  return code;
}

std::vector<bpf_insn> libpcap_program(const std::string& filter, bool optimize) {
  std::vector<bpf_insn> code;
  with_large_stack([&] { code = compiled_by_libpcap(filter, optimize); });
  return code;
}

std::vector<oracle::Sample> aimed_at(const TrafficModel& model, const std::vector<bpf_insn>& code) {
  cbpf::Program meaning;
  for (const bpf_insn& i : code) meaning.instructions.push_back({i.code, i.jt, i.jf, i.k});
  oracle::Setting setting;
  setting.link_type = "EN10MB";
  oracle::Random random(11);
  return aimed_packets(model, setting, meaning, 400, random);
}

/// One packet after the other. The loop goes along packets, not numbers of them: to work out of a number where a packet lies takes
/// 0.3 ns, a fifth of a call.
template <typename Verdict>
Runner each(const char* name, Verdict verdict) {
  const auto run = [verdict](const Packets& p) {
    std::size_t n = 0;
    for (const Packet& q : p.ours) n += verdict(q);
    return n;
  };
  const auto verdicts = [verdict](const Packets& p) {
    std::vector<std::uint64_t> bits((p.ours.size() + 63) / 64);
    for (std::size_t i = 0; i < p.ours.size(); ++i) bits[i / 64] |= std::uint64_t{verdict(p.ours[i])} << i % 64;
    return bits;
  };
  return {name, run, verdicts};
}

template <typename Fill>
Runner batch(const char* name, Fill fill) {
  const auto run = [fill, bits = std::vector<std::uint64_t>()](const Packets& p) mutable {
    bits.resize((p.ours.size() + 63) / 64);
    fill(p, bits);
    std::size_t n = 0;
    for (const std::uint64_t v : bits) n += static_cast<std::size_t>(__builtin_popcountll(v));
    return n;
  };
  const auto verdicts = [fill](const Packets& p) {
    std::vector<std::uint64_t> bits((p.ours.size() + 63) / 64);
    fill(p, bits);
    return bits;
  };
  return {name, run, verdicts};
}

Runner none(const char* name) { return {name, nullptr, nullptr}; }

Runner hand_batch_of(const char* name, hand_batch f, std::shared_ptr<hand_hosts> hosts) {
  return f == nullptr ? none(name) : batch(name, [f, hosts](const Packets& p, std::vector<std::uint64_t>& v) {
    f(p.theirs.data(), p.theirs.size(), v.data(), hosts.get());
  });
}

Runner hand_views_of(const char* name, hand_batch f, std::shared_ptr<hand_hosts> hosts) {
  static_assert(sizeof(PacketView) == sizeof(hand_view) && offsetof(PacketView, captured) == offsetof(hand_view, captured));
  return f == nullptr ? none(name) : batch(name, [f, hosts](const Packets& p, std::vector<std::uint64_t>& v) {
    f(p.views.data(), p.views.size(), v.data(), hosts.get());
  });
}

}  // namespace

Packets drawn_from(const Packets& from, std::size_t count) {
  constexpr std::size_t most_packets = 400;
  const auto few = static_cast<std::uint32_t>(std::min(most_packets, from.ours.size()));
  Packets p;
  oracle::Random random(13);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t drawn = random.below(few);
    p.ours.push_back(from.ours[drawn]);
    p.views.push_back(from.views[drawn]);
    p.theirs.push_back(from.theirs[drawn]);
  }
  return p;
}

std::unique_ptr<Subject> Subject::of(const Row& row, const TrafficModel& model) {
  auto filter = weir::compile(row.filter);
  if (!filter) {
    fmt::print(stderr, "{}", weir::render(row.filter, filter.error()));
    return nullptr;
  }
  auto code = native::emit(filter->stages().ir);
  if (!code) {
    fmt::print(stderr, "{}: {}\n", row.name, code.error().message);
    return nullptr;
  }
  std::unique_ptr<Subject> subject(new Subject(row, model, std::move(*filter), std::move(*code)));
  subject->make_programs();
  subject->make_engines();
  return subject;
}

/// libpcap's optimizer takes minutes for long lists, and of 10 000 hosts its parser does, too: then it is left out.
void Subject::make_programs() {
  const bool is_endless = row_.hosts > 1000;
  const auto plain = is_endless ? std::vector<bpf_insn>() : libpcap_program(row_.filter, false);
  libpcap_ = is_endless || row_.hosts > 100 ? plain : libpcap_program(row_.filter, true);
  aimed_ = aimed_at(model_, is_endless ? libpcap_program(part_of_list(list_kinds()[0], row_.hosts, 100), false) : plain);
}

void Subject::make_engines() {
  const hand_row* hand = std::find_if(hand_rows, hand_rows + hand_row_count, [&](const hand_row& h) { return row_.hand == h.name; });
  const std::shared_ptr<hand_hosts> hosts = hosts_of(row_.hosts);
  const Filter& filter = filter_;
  const auto* program = filter.stages().cbpf ? &*filter.stages().cbpf : nullptr;
  engines_.push_back(
      libpcap_.empty() ? none(engine_names[BpfFilter]) : each(engine_names[BpfFilter], [code = libpcap_.data()](const Packet& q) {
        return bpf_filter(code, q.bytes.data(), q.length, static_cast<unsigned>(q.bytes.size())) != 0;
      }));
  engines_.push_back(program != nullptr ? each(engine_names[Interpreter], [program](const Packet& q) {
    return vm::run_checked(*program, q, vm::Machine::Kernel) != 0;
  }) : each(engine_names[Interpreter], [graph = &*filter.stages().ir](const Packet& q) { return ir::evaluate(*graph, q) != 0; }));
  engines_.push_back(each(engine_names[Native], [f = code_.function()](const Packet& q) {
    return f(q.bytes.data(), q.bytes.size(), q.length, &q.meta) != 0;
  }));
  engines_.push_back(each(engine_names[Match], [&filter](const Packet& q) { return filter.match(q); }));
  engines_.push_back(each(engine_names[Hand], [f = hand->one, hosts](const Packet& q) {
    return f(q.bytes.data(), q.bytes.size(), hosts.get()) != 0;
  }));
  engines_.push_back(batch(engine_names[NativeBatch],
                           [&filter](const Packets& p, std::vector<std::uint64_t>& v) { filter.match_batch(p.ours, v); }));
  engines_.push_back(hand_batch_of(engine_names[HandLoop], hand->packets.loop, hosts));
  engines_.push_back(hand_batch_of(engine_names[HandBatch], hand->packets.flat, hosts));
  engines_.push_back(hand_batch_of(engine_names[HandVector], hand_vector(hand->name), hosts));
  engines_.push_back(batch(engine_names[NativeViews],
                           [&filter](const Packets& p, std::vector<std::uint64_t>& v) { filter.match_batch(p.views, v); }));
  engines_.push_back(hand_views_of(engine_names[ViewsLoop], hand->views.loop, hosts));
  engines_.push_back(hand_views_of(engine_names[ViewsBatch], hand->views.flat, hosts));
  engines_.push_back(hand_views_of(engine_names[ViewsVector], hand_vector_views(hand->name), hosts));
}

Packets Subject::packets(std::size_t count) const { return make_packets(model_, aimed_, count); }

bool Subject::agree(const Packets& packets) const {
  const auto expected = engines_[Native].verdicts(packets);
  for (const Runner& e : engines_) {
    if (!e.run) continue;
    const auto got = e.verdicts(packets);
    for (std::size_t i = 0; i < packets.ours.size(); ++i) {
      if (((got[i / 64] ^ expected[i / 64]) >> i % 64 & 1) == 0) continue;
      fmt::print("{}: packet {} ({} bytes): {} says otherwise than {}\n", row_.name, i, packets.ours[i].bytes.size(), e.name,
                 engines_[Native].name);
      return false;
    }
  }
  return true;
}

}  // namespace weir::bench
