#include "object.hpp"

#include <elf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace weir::bench {

namespace {

/// Of all kernels: addresses of code and data are worked out in pages.
constexpr std::size_t largest_page = 1 << 16;

/// What lies at an offset of a file; nothing where the file ends before.
template <class T>
std::optional<T> at(const std::vector<std::uint8_t>& file, std::uint64_t offset) {
  T result;
  if (offset > file.size() || file.size() - offset < sizeof result) return std::nullopt;
  std::memcpy(&result, file.data() + offset, sizeof result);
  return result;
}

std::optional<Elf64_Shdr> section(const std::vector<std::uint8_t>& file, const Elf64_Ehdr& head, std::uint64_t number) {
  return at<Elf64_Shdr>(file, head.e_shoff + number * sizeof(Elf64_Shdr));
}

/// Segments that go into memory.
std::vector<Elf64_Phdr> segments(const std::vector<std::uint8_t>& file, const Elf64_Ehdr& head) {
  std::vector<Elf64_Phdr> all;
  for (std::uint64_t n = 0; n < head.e_phnum; ++n)
    if (const auto s = at<Elf64_Phdr>(file, head.e_phoff + n * sizeof(Elf64_Phdr)); s && s->p_type == PT_LOAD) all.push_back(*s);
  return all;
}

}  // namespace

void Object::Free::operator()(std::uint8_t* p) const { std::free(p); }

std::optional<Object> Object::read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  Object o;
  o.file_.assign(std::istreambuf_iterator<char>(in), {});
  if (!o.load()) return std::nullopt;
  return o;
}

bool Object::load() {
  const auto head = at<Elf64_Ehdr>(file_, 0);
  if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_machine != EM_AARCH64) return false;
  constexpr std::uint64_t most = 1 << 24;
  const auto loaded = segments(file_, *head);
  for (const Elf64_Phdr& s : loaded) {
    if (s.p_vaddr > most || s.p_memsz > most || s.p_filesz > s.p_memsz || s.p_offset > file_.size() ||
        s.p_filesz > file_.size() - s.p_offset)
      return false;
    size_ = std::max<std::size_t>(size_, s.p_vaddr + s.p_memsz);
  }
  if (size_ == 0) return false;
  const std::size_t whole = (size_ + largest_page - 1) / largest_page * largest_page;
  image_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(largest_page, whole)));
  if (!image_) return false;
  std::memset(image_.get(), 0, whole);
  for (const Elf64_Phdr& s : loaded) std::memcpy(image_.get() + s.p_vaddr, file_.data() + s.p_offset, s.p_filesz);
  return true;
}

const std::uint8_t* Object::function(const std::string& name) const {
  const auto head = *at<Elf64_Ehdr>(file_, 0);
  for (std::uint64_t n = 0; n < head.e_shnum; ++n) {
    const auto symbols = section(file_, head, n);
    if (!symbols || symbols->sh_type != SHT_SYMTAB) continue;
    const auto names = section(file_, head, symbols->sh_link);
    for (std::uint64_t i = 0; names && i < symbols->sh_size / sizeof(Elf64_Sym); ++i) {
      const auto symbol = at<Elf64_Sym>(file_, symbols->sh_offset + i * sizeof(Elf64_Sym));
      if (!symbol || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || names->sh_offset + symbol->st_name >= file_.size()) continue;
      const bool is_it = name == reinterpret_cast<const char*>(file_.data() + names->sh_offset + symbol->st_name);
      if (is_it && symbol->st_shndx != SHN_UNDEF && symbol->st_value < size_) return image_.get() + symbol->st_value;
    }
  }
  return nullptr;
}

}  // namespace weir::bench
