#include <map>

#include "names/names.hpp"

namespace weir::names {
namespace {

class Cached : public Names {
 public:
  explicit Cached(const Names& source) : source_(source) {}

  Result<Addresses> host(const std::string& name) const override { return hosts_.get(name, [&] { return source_.host(name); }); }
  Result<std::optional<Mac>> ether(const std::string& name) const override {
    return ethers_.get(name, [&] { return source_.ether(name); });
  }
  Result<std::optional<std::uint32_t>> network(const std::string& name) const override {
    return networks_.get(name, [&] { return source_.network(name); });
  }
  Result<Ports> port(const std::string& name) const override { return ports_.get(name, [&] { return source_.port(name); }); }
  Result<std::optional<std::uint32_t>> protocol(const std::string& name) const override {
    return protocols_.get(name, [&] { return source_.protocol(name); });
  }

 private:
  template <class T>
  class Answers {
   public:
    template <class Ask>
    Result<T> get(const std::string& name, Ask ask) {
      if (const auto known = known_.find(name); known != known_.end()) return known->second;
      return known_.emplace(name, ask()).first->second;
    }

   private:
    std::map<std::string, Result<T>> known_;
  };

  const Names& source_;
  mutable Answers<Addresses> hosts_;
  mutable Answers<std::optional<Mac>> ethers_;
  mutable Answers<std::optional<std::uint32_t>> networks_, protocols_;
  mutable Answers<Ports> ports_;
};

}  // namespace

std::unique_ptr<Names> cached_names(const Names& source) { return std::make_unique<Cached>(source); }

}  // namespace weir::names
