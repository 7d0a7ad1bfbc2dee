// Option structures of libbpf, as its calls want them: all zero, their size in front. (LIBBPF_OPTS is for C.)
#pragma once
#include <cstring>

namespace weir::attach {

template <class Options>
Options no_options() {
  Options options;
  std::memset(&options, 0, sizeof options);  // libbpf looks at the padding, too
  options.sz = sizeof options;
  return options;
}

}  // namespace weir::attach
