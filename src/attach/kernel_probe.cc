#include "attach/kernel_probe.hpp"

#include <atomic>

#include "attach/load.hpp"

namespace weir::attach {
namespace {

enum class Answer : int { Unknown, Yes, No };

/// What such programs begin with, and a load.
ebpf::Program reading_program() {
  using namespace ebpf::op;
  ebpf::Program p;
  p.hook = ebpf::Hook::SocketBtf;
  p.instructions = {
      {.code = ALU64 | MOV | X, .dst = 6, .src = 1},
      {.code = LDX | MEM | W, .dst = 0, .src = 6, .offset = 76},  // data, data_end: open_packet_pointers
      {.code = LDX | MEM | W, .dst = 5, .src = 6, .offset = 80},
      {.code = ALU64 | SUB | X, .dst = 5, .src = 0},
      {.code = JMP | JLT | K, .dst = 5, .offset = 1, .imm = 1},
      {.code = LDX | MEM | B, .dst = 1, .src = 0},
      {.code = ALU | MOV | K, .dst = 0, .imm = 0},
      {.code = JMP | EXIT},
  };
  return p;
}

}  // namespace

bool gives_packet_pointers() {
  static std::atomic<Answer> known = Answer::Unknown;
  if (known == Answer::Unknown) {
    const auto loaded = Loaded::load(reading_program(), {});
    if (!loaded && loaded.error().code != Code::Unsupported) return false;  // a right, the kernel's types or memory, which may come yet
    known = loaded ? Answer::Yes : Answer::No;
  }
  return known == Answer::Yes;
}

}  // namespace weir::attach
