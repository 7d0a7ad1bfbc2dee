target_compile_definitions(weir_cli PRIVATE WEIR_VERSION="${PROJECT_VERSION}")
add_executable(weir ${CMAKE_CURRENT_LIST_DIR}/main.cc)
target_compile_options(weir PRIVATE ${WEIR_WARNINGS})
target_link_libraries(weir PRIVATE weir_cli)
# CLI11's templates, optimized with the sanitizers' checks in them, take twice as long to compile as anything else here, and run once.
if(WEIR_SANITIZE)
  set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/command_line.cc PROPERTIES COMPILE_OPTIONS -O0 SKIP_PRECOMPILE_HEADERS ON)
endif()
