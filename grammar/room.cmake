# The lexer and the parser are generated into the build folder. Their warnings are the generators' business; everything
# written by hand lies in ordinary .cc files and is held to WEIR_WARNINGS.
find_package(BISON 3.8 REQUIRED)
find_program(RE2C re2c REQUIRED)

set(generated ${CMAKE_BINARY_DIR}/generated/grammar)
file(MAKE_DIRECTORY ${generated})
add_custom_command(
  OUTPUT ${generated}/parser.cc ${generated}/parser.hpp
  COMMAND ${BISON_EXECUTABLE} -Wall -Werror --output=${generated}/parser.cc --header=${generated}/parser.hpp
          ${CMAKE_SOURCE_DIR}/grammar/parser.yy
  # The stack grows as it must; bison would make it 200 symbols large for every filter, which costs more than most filters.
  COMMAND sed -i "s/stack (size_type n = 200)/stack (size_type n = 0)/" ${generated}/parser.hpp
  DEPENDS ${CMAKE_SOURCE_DIR}/grammar/parser.yy
  COMMENT "bison parser.yy" VERBATIM)
add_custom_command(
  OUTPUT ${generated}/lexer.cc
  COMMAND ${RE2C} -W -Werror --output ${generated}/lexer.cc ${CMAKE_SOURCE_DIR}/grammar/lexer.re
  DEPENDS ${CMAKE_SOURCE_DIR}/grammar/lexer.re
  COMMENT "re2c lexer.re" VERBATIM)

target_sources(weir_grammar PRIVATE ${generated}/parser.cc ${generated}/parser.hpp ${generated}/lexer.cc)
target_include_directories(weir_grammar SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/generated)
set_source_files_properties(${generated}/parser.cc ${generated}/lexer.cc PROPERTIES COMPILE_OPTIONS -w)
# The parser is many small functions that GCC does not inline in code for shared libraries, where they could be replaced.
set_property(SOURCE ${generated}/parser.cc APPEND PROPERTY COMPILE_OPTIONS -fno-semantic-interposition)
