// weir, the library: filter expressions in, programs and verdicts out.
//
//   #include <weir/weir.hpp>
//
//   weir::Options options;                       // Ethernet, 262144 bytes, the system's names
//   auto filter = weir::compile("tcp port 80", options);
//   if (!filter) { puts(weir::render("tcp port 80", filter.error()).c_str()); return; }
//   if (filter->match({bytes, wire_length})) …   // any number of threads
//   filter->match_batch(packets, verdicts);      // many at once: a bit each
//   auto code = filter->bytecode();              // the same layout as struct sock_filter, for SO_ATTACH_FILTER
//   auto done = filter->attach(socket);          // has the kernel run it (compiled with Options::linux_ext)
//
// Errors are values: nothing here throws (but std::bad_alloc), prints or exits. No global state: all functions
// may be called from any number of threads; a const Filter may be shared by them.
#pragma once
#if __cplusplus < 202100L
#error "weir needs C++23 (std::expected)"
#endif
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/limits.hpp"
#include "base/packet.hpp"
#include "base/packet_view.hpp"
#include "base/result.hpp"

namespace weir {

namespace names { class Names; }
class Attachment;       // <weir/attach.hpp>, as the two others
struct AttachOptions;
struct Replacement;

/// What a filter is compiled for.
struct Options {
  std::string link_type = "EN10MB";      ///< a DLT name, with or without DLT_
  std::uint32_t snaplen = 262144;        ///< what a matching packet returns; 0 is refused
  std::optional<std::uint32_t> netmask;  ///< IPv4 netmask in host order, for `ip broadcast`
  bool optimize = true;
  bool strict = false;                   ///< what is otherwise a warning is an error
  bool linux_ext = false;                ///< may use the kernel's metadata, as for a live capture
  /// For a packet socket that gives packets without their link-layer header (SOCK_DGRAM; the `any` device), whose link
  /// type is then LINUX_SLL or LINUX_SLL2: offsets count from the network header, and the fields of the cooked header are
  /// asked of the kernel. Implies linux_ext.
  bool cooked = false;
  enum class Savefile : std::uint8_t { None, Native, Swapped };
  Savefile savefile = Savefile::None;    ///< byte order of the host that wrote the savefile the filter is for
  /// compile_program: the machine that the program was made for, where the two would do otherwise (shifts by 32 and more,
  /// offsets that wrap or are negative, metadata). Either: the kernel's when it asks what only the kernel knows.
  enum class Machine : std::uint8_t { Either, Libpcap, Kernel };
  Machine machine = Machine::Either;
  bool native = true;                    ///< match() may make machine code; it works without it, too
  Limits limits;
  std::shared_ptr<const names::Names> names;  ///< null: the system's; others: <weir/names/names.hpp>
};

/// One classic BPF instruction, laid out as struct sock_filter and struct bpf_insn.
struct Instruction {
  std::uint16_t code;
  std::uint8_t jt, jf;
  std::uint32_t k;
};

/// What a filter can be shown as.
enum class Emit : std::uint8_t {
  Listing, CArray, Decimal, Asm, Json, Bytecode, Ast, Pred, Ir, Dot, C, Native, Ebpf, EbpfObject
};

/// What Emit::Native shows code for. Host: the CPU of this process; the others are shown on every host, but for X86_64,
/// which only builds for that CPU make.
enum class Cpu : std::uint8_t { Host, X86_64, AArch64 };

/// What runs a filter in this process.
enum class Engine : std::uint8_t {
  Native,    ///< machine code
  Bytecode,  ///< an interpreter of its classic BPF
  Graph,     ///< an evaluator of its graph, for what does not fit classic BPF
};

/// Where the kernel runs a filter.
enum class Hook : std::uint8_t {
  Socket,      ///< what comes to a socket
  SocketBtf,   ///< the same, for kernels from 6.17 on, whose types tell where the packet's bytes are: several times faster
  Xdp,         ///< what comes to an interface, before the network stack
  TcIngress,   ///< what comes to an interface, in its traffic control
  TcEgress,    ///< what leaves by an interface
  Cgroup,      ///< what the processes of a control group get or send: IP packets, link type RAW
  Tracing,     ///< what passes a tracepoint that has an sk_buff
  TracingBtf,  ///< the same, checked against the tracepoint's types
};
/// Whether what its programs return is how many bytes of the packet are kept.
constexpr bool is_socket(Hook hook) { return hook == Hook::Socket || hook == Hook::SocketBtf; }

/// The name of a hook on the command line (`tc-ingress`), and back; all of them.
std::optional<Hook> find_hook(std::string_view name);
std::vector<std::string_view> hook_names();
/// What a program of the hook may return, by its word (`pass`, `drop` …); all the words.
std::optional<std::int32_t> find_action(Hook hook, std::string_view word);
std::vector<std::string_view> action_names(Hook hook);

/// What an eBPF program is made for.
struct ProgramOptions {
  Hook hook = Hook::Socket;
  /// What it returns for a packet that the filter accepts, and for one that it rejects: numbers of the kernel (XDP_DROP, TC_ACT_SHOT …).
  /// Without them what the filter accepts goes on, and everything else is dropped. They must differ.
  std::optional<std::int32_t> match = {}, no_match = {};
  /// Lists of so many entries and more are maps; by default where these are faster. 1: all.
  std::optional<std::size_t> map_threshold = {};
  std::uint32_t argument = 0;  ///< tracing: which argument of the tracepoint is the sk_buff
};

/// An eBPF program, to be loaded with BPF_PROG_LOAD. A 64-bit constant whose src is 5 (BPF_PSEUDO_MAP_IDX) has the number of a map in
/// imm: fd_array holds their descriptors in that order.
struct EbpfProgram {
  /// Laid out as struct bpf_insn of this host: registers are dst in the low half and src in the high half on a little-endian one.
  struct Instruction {
    std::uint8_t code, registers;
    std::int16_t off;
    std::int32_t imm;
  };
  struct Map {
    enum class Kind : std::uint8_t { Hash, LpmTrie, Array, PerCpuArray };
    std::string name;
    Kind kind = Kind::Hash;
    std::uint32_t key_bytes = 0, value_bytes = 0, max_entries = 0;
    std::vector<std::uint8_t> keys;  ///< that it has to hold, one behind the other; values are 1 in the first byte
  };
  /// Tracing: the offset of a member of a kernel's structure goes into imm of an instruction, before it is loaded. The kernel's BTF has it.
  struct Field {
    std::size_t instruction = 0;
    std::string structure, member;
  };
  std::vector<Instruction> instructions;
  std::vector<Map> maps;
  std::vector<Field> fields;
};

/// A compiled filter. Cheap to move; const use is thread safe. Owns all it shows; spans returned stay valid as long
/// as the filter.
class Filter {
 public:
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  /// Whether the packet passes; and how many bytes of it to keep (0: none).
  /// The first call makes machine code, where CPU, kernel and Options::native permit, which takes some ten microseconds and
  /// allocates; no later one does, but with Engine::Graph where a packet has it work out thousands of values.
  bool match(const Packet& packet) const { return run(packet) != 0; }
  std::uint32_t run(const Packet& packet) const {
    const Function code = code_.load(std::memory_order_acquire);
    if (code == nullptr) [[unlikely]] return run_otherwise(packet);
    return code(packet.bytes.data(), packet.bytes.size(), packet.length, &packet.meta);
  }

  /// match() for many packets, which need not be in the cache: bit i % 64 of verdicts[i / 64] is that of packet i. There must be
  /// a word of verdicts for every 64 packets; bits behind the last packet become 0. Returns how many pass.
  /// The first call makes a loop of machine code, as the first match() makes its code; where there is no loop for the CPU, every
  /// packet takes a match().
  std::size_t match_batch(std::span<const Packet> packets, std::span<std::uint64_t> verdicts) const;
  /// The same of records that take a third of the room in the cache. What the kernel knows of a packet is 0 for them all, and a
  /// filter that asks for it (Options::linux_ext) has no loop over them.
  std::size_t match_batch(std::span<const PacketView> packets, std::span<std::uint64_t> verdicts) const;

  /// What match() and run() use; makes the machine code when no match has done so yet. When it is not Native, `why` (may be
  /// null) receives the reason.
  Engine engine(std::string* why = nullptr) const;

  /// Classic BPF for SO_ATTACH_FILTER. An error (TooLarge) when it cannot fit, as for some thousands of
  /// addresses: says by how much and what to do instead. match() and run() work all the same.
  Result<std::span<const Instruction>> bytecode() const;

  /// Has the kernel run the filter on every packet that comes to the socket; it cuts what passes to run()'s length. Replaces
  /// a filter that is there in one step; it stays until the socket is closed, or SO_DETACH_FILTER. For a socket that sees
  /// frames of Options::link_type (AF_PACKET, SOCK_RAW), with Options::linux_ext: there VLAN tags are metadata. What waits
  /// in the socket already is not looked at again: attach before binding a socket of protocol 0. Errors: TooLarge (as
  /// bytecode(), or no memory in the kernel), System; what was there before then stays.
  Result<void> attach(int socket) const;

  /// As the options say, on a socket, or at another hook: on an interface (XDP, tc), on a control group by its folder, on a
  /// tracepoint by its name. The filter has to be compiled for the link type of what is seen there: that of the interface, with
  /// Options::linux_ext but for XDP, which sees VLAN tags in the packet; RAW for control groups. Errors: Unsupported (the hook
  /// does not know what the filter asks, or the kernel is too old), TooLarge, Name (no such interface), System; they say what is
  /// missing or in the way.
  Result<Attachment> attach(int socket, const AttachOptions& options) const;
  Result<Attachment> attach(const std::string& where, const AttachOptions& options) const;

  /// Replaces the filter of a socket that packets come to, without a gap: each packet meets the old filter or the new one. When this
  /// returns, the socket gives no packet that the new filter rejects; and no packet that both accept is lost by it. What waited is
  /// taken out for that, looked at here, and given to the caller in its order. How: the kernel swaps the programs in one
  /// step; then this waits until no CPU is at a packet with the old one (some milliseconds), and drains the socket.
  /// What a packet lost when the old filter cut it stays lost. In a ring (PACKET_RX_RING), which belongs to the caller, those
  /// frames that were there when this returns are to be asked with run(). Between processes (AF_UNIX), senders must not send
  /// meanwhile. Of the options it uses may_use_ebpf. Errors: as attach(); Unsupported, also for sockets that do not give what
  /// their filter sees (UDP, TCP): there, and with `keep_waiting` false, what waits is discarded instead, as libpcap does. On an
  /// error the old filter stays.
  Result<Replacement> replace(int socket, const AttachOptions& options, bool keep_waiting = true) const;

  /// The filter, or a stage of it, as text. An error where bytecode() is one and the form needs it.
  /// `cpu`: for Emit::Native; others than Host do without leave to run code (Options::native, the kernel's).
  Result<std::string> dump(Emit what, Cpu cpu = Cpu::Host) const;

  /// The filter as an eBPF program. Errors: Unsupported (the hook does not know what the filter asks; the span says where it
  /// does), TooLarge, Range (`match` and `no_match` are the same, or no number that the hook permits).
  Result<EbpfProgram> program(const ProgramOptions& options) const;
  /// That program as text in the kernel's notation (Emit::Ebpf), as JSON, or as an ELF object that other loaders take
  /// (Emit::EbpfObject: bytes). Other forms are those of dump(what).
  Result<std::string> dump(Emit what, const ProgramOptions& options) const;

  /// The graph as it is when a pass of the optimizer has run the first time (Emit::Ir: when all is done), whether or not
  /// the filter was compiled with the optimizer. Passes that only reorder run when the others find nothing more; what
  /// they make is part of the filter where the program gets no longer by it. An error (Range) for other names than those
  /// of pass_names(). Compiles again from the stage Emit::Pred on.
  Result<std::string> dump_after(std::string_view pass) const;

  /// What the compiler noticed that is no error.
  std::span<const Diagnostic> warnings() const;

  /// What every stage made of the filter, for weir's own tools: src/weir/stages.hpp, which is not installed.
  struct Stages;
  const Stages& stages() const { return *stages_; }

 private:
  friend Result<Filter> compile(std::string_view, const Options&);
  friend Result<Filter> compile_program(std::string_view, const Options&);
  explicit Filter(std::unique_ptr<const Stages>);
  using Function = std::uint32_t (*)(const std::uint8_t*, std::size_t, std::uint32_t, const Metadata*);
  std::uint32_t run_otherwise(const Packet& packet) const;
  template <typename Record, typename Loop>
  std::size_t match_all(std::span<const Record> packets, std::span<std::uint64_t> verdicts, const Loop& loop) const;
  template <typename Record>
  void match_each(std::span<const Record> packets, std::span<std::uint64_t> verdicts) const;
  std::unique_ptr<const Stages> stages_;
  mutable std::atomic<Function> code_ = nullptr;  ///< null: not made yet, or there is none
};

/// Compiles an expression; empty text accepts every packet.
Result<Filter> compile(std::string_view expression, const Options& options = {});

/// Takes a program of classic BPF that others made for a filter: decimal numbers as `tcpdump -ddd` prints them, also with commas
/// as `bpf_asm` does, or assembly text as `bpf_asm` reads it. Of the options it uses optimize, strict, limits and machine; the
/// program itself says how many bytes are kept. Where nothing shorter can be made, bytecode() is the program itself. Errors
/// (Input) have their place in the text: what is no program, and what no filter can mean, as random numbers or a loop; TooLarge
/// when ways that meet bring too many values, and those depend on too many tests.
Result<Filter> compile_program(std::string_view text, const Options& options = {});
/// The same from instructions, as struct sock_filter has them.
Result<Filter> compile_program(std::span<const Instruction> program, const Options& options = {});

/// The passes of the optimizer, in their order.
std::vector<std::string_view> pass_names();

/// A diagnostic for people: `error: …`, the line of the expression, a caret under the words, the hint.
std::string render(std::string_view expression, const Diagnostic& diagnostic);

/// A link type by name or DLT number, for lists.
struct LinkTypeInfo {
  std::string_view name;
  int dlt;
  std::string_view description;
  std::string families;  ///< of primitives that mean something there: "bytes protocols ip …"
};
std::vector<LinkTypeInfo> link_types();

/// The words of the language that are more than names, in alphabetical order.
std::vector<std::string_view> keywords();
std::optional<LinkTypeInfo> find_link_type(int dlt);

}  // namespace weir
