# Z3's Debian package has no CMake files of use here; its header is third-party code, so its warnings are not ours.
find_path(Z3_INCLUDE z3++.h REQUIRED)
find_library(Z3_LIBRARY z3 REQUIRED)
target_include_directories(weir_prove SYSTEM PUBLIC ${Z3_INCLUDE})
target_link_libraries(weir_prove PUBLIC ${Z3_LIBRARY})
