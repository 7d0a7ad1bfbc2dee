#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::bench {

/// A shared object for AArch64 in memory, as its program headers say. Its relocations are not done: functions can be called
/// that need no others, and of data only what lies in the object and holds no addresses.
class Object {
 public:
  /// Nothing for what is no such file.
  static std::optional<Object> read(const std::string& path);
  /// Where a function's code lies, also a static one's; null where there is none of that name. Valid as long as the object.
  const std::uint8_t* function(const std::string& name) const;

 private:
  bool load();

  struct Free {
    void operator()(std::uint8_t* p) const;
  };
  std::vector<std::uint8_t> file_;
  std::unique_ptr<std::uint8_t, Free> image_;
  std::size_t size_ = 0;  ///< of the image
};

}  // namespace weir::bench
