#include "converted.hpp"

#include "cbpf/decode.hpp"
#include "ebpf/assembler.hpp"
#include "ebpf/hook_row.hpp"

namespace weir::bench {
namespace {

namespace op = ebpf::op;
using ebpf::Condition, ebpf::Label, ebpf::Register;

constexpr Register A = 0, temporary = 2, linear = 3, context = 6, X = 7, data = 8, data_end = 9;  // those of the kernel

std::uint8_t negated(std::uint8_t jump) { return jump == op::JEQ ? op::JNE : jump == op::JGT ? op::JLE : op::JLT; }

class Conversion {
 public:
  explicit Conversion(const cbpf::Program& p) : program_(p), scratch_(code_.slot(4 * cbpf::scratch_words)) {
    for (std::size_t i = 0; i < p.instructions.size(); ++i) labels_.push_back(code_.label());
  }

  Result<ebpf::Program> run() {
    code_.set(A, 0);  // the verifier lets nobody xor a register with itself before it was written, but the code is the same
    code_.set(X, 0);
    code_.move(context, 1);
    code_.load(data, context, ebpf::field_at::Data, 4);
    code_.load(data_end, context, ebpf::field_at::DataEnd, 4);
    // The kernel's own has no end to load: it subtracts data_len from len (net/core/filter.c, bpf_convert_filter).
    code_.load(linear, context, ebpf::field_at::Length, 4);
    code_.alu32(op::SUB, linear, A);
    for (at_ = 0; at_ < program_.instructions.size(); ++at_) {
      code_.bind(labels_[at_]);
      instruction(program_.instructions[at_]);
    }
    if (is_unknown_) return fail(Code::Unsupported, {}, "the program asks for what only the kernel knows");
    ebpf::Program made;
    made.hook = ebpf::Hook::TcIngress;
    if (auto done = code_.finish(made); !done) return std::unexpected(done.error());
    return made;
  }

 private:
  void instruction(const cbpf::Instruction& i) {
    switch (i.code & 7) {
      case cbpf::op::LD: return load(i, A);
      case cbpf::op::LDX: return load(i, X);
      case cbpf::op::ST: return code_.store(scratch_, word(i.k), A, 4);
      case cbpf::op::STX: return code_.store(scratch_, word(i.k), X, 4);
      case cbpf::op::ALU: return arithmetic(i);
      case cbpf::op::JMP: return jump(i);
      case cbpf::op::RET:
        if ((i.code & 0x18) == cbpf::op::K) code_.set(A, i.k);
        return code_.exit();
      default: return i.code == (cbpf::op::MISC | cbpf::op::TAX) ? code_.move(X, A) : code_.move(A, X);
    }
  }

  static std::int32_t word(std::uint32_t k) { return static_cast<std::int32_t>(4 * k); }

  void load(const cbpf::Instruction& i, Register to) {
    switch (i.code & 0xe0) {
      case cbpf::op::IMM: return code_.set(to, i.k);
      case cbpf::op::MEM: return code_.load(to, scratch_, word(i.k), 4);
      case cbpf::op::LEN: return code_.load(to, context, ebpf::field_at::Length, 4);
      case cbpf::op::ABS: return load_at(static_cast<std::int32_t>(i.k), cbpf::size_of(i.code));
      case cbpf::op::IND: return code_.load_packet(X, static_cast<std::int32_t>(i.k), cbpf::size_of(i.code));
      default:  // 4 * (byte & 15), into X
        code_.move(X, A);
        load_at(static_cast<std::int32_t>(i.k), 1);
        code_.alu32(op::AND, A, 0xfu);
        code_.alu32(op::LSH, A, 2u);
        code_.move(temporary, X);
        code_.move(X, A);
        return code_.move(A, temporary);
    }
  }

  void load_at(std::int32_t offset, std::uint32_t bytes) {
    is_unknown_ |= offset < 0;
    const Label elsewhere = code_.label(), done = code_.label();
    code_.move(temporary, data);
    code_.alu64(op::ADD, temporary, offset + static_cast<std::int32_t>(bytes));
    code_.jump({.relation = op::JGT, .wide = true, .left = temporary, .right = data_end}, elsewhere);
    code_.load(A, data, offset, bytes);
    if (bytes > 1) code_.swap(A, bytes);
    code_.jump(done);
    code_.bind(elsewhere);
    code_.load_packet(offset, bytes);
    code_.bind(done);
  }

  void arithmetic(const cbpf::Instruction& i) {
    const auto what = static_cast<std::uint8_t>(i.code & 0xf0);
    if ((i.code & 0x08) == cbpf::op::K) return code_.alu32(what, A, i.k);
    if (what == op::DIV || what == op::MOD) {
      code_.move32(X, X);
      const Label fine = code_.label();
      code_.jump({.relation = op::JNE, .wide = true, .left = X, .k = 0}, fine);
      code_.alu32(op::XOR, A, A);
      code_.exit();
      code_.bind(fine);
    }
    code_.alu32(what, A, X);
  }

  void jump(const cbpf::Instruction& i) {
    const auto what = static_cast<std::uint8_t>(i.code & 0xf0);
    if (what == op::JA) return code_.jump(labels_[at_ + 1 + i.k]);
    Condition c{.relation = what, .wide = true, .left = A, .right = {}, .k = i.k};
    if ((i.code & 0x08) == cbpf::op::X) c.right = X;
    if (!c.right && static_cast<std::int32_t>(i.k) < 0) {
      code_.set(temporary, i.k);
      c.right = temporary;
    }
    const Label yes = labels_[at_ + 1 + i.jt], no = labels_[at_ + 1 + i.jf];
    if (i.jf == 0) return code_.jump(c, yes);
    if (i.jt == 0 && what != op::JSET) {
      c.relation = negated(what);
      return code_.jump(c, no);
    }
    code_.jump(c, yes);
    code_.jump(no);
  }

  const cbpf::Program& program_;
  ebpf::Assembler code_;
  ebpf::Slot scratch_;
  std::vector<Label> labels_;
  std::size_t at_ = 0;
  bool is_unknown_ = false;
};

}  // namespace

Result<ebpf::Program> converted(const cbpf::Program& p) { return Conversion(p).run(); }

}  // namespace weir::bench
