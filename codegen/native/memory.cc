#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "native/code.hpp"

namespace weir::native {

Result<ExecutableMemory> ExecutableMemory::of(std::span<const std::uint8_t> bytes) {
  const auto refused = [](const char* what) {
    return fail(weir::Code::System, {}, std::string("no memory for native code: ") + what + ": " + std::strerror(errno));
  };
  void* pages = mmap(nullptr, bytes.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return refused("mmap");
  ExecutableMemory memory;
  memory.data_ = static_cast<std::uint8_t*>(pages);
  memory.size_ = bytes.size();
  std::memcpy(pages, bytes.data(), bytes.size());
  if (mprotect(pages, bytes.size(), PROT_READ | PROT_EXEC) != 0) return refused("mprotect");
  return memory;
}

ExecutableMemory::ExecutableMemory(ExecutableMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

ExecutableMemory& ExecutableMemory::operator=(ExecutableMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

ExecutableMemory::~ExecutableMemory() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace weir::native
