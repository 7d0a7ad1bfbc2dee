target_compile_definitions(weir_cli PRIVATE WEIR_VERSION="${PROJECT_VERSION}")
add_executable(weir ${CMAKE_CURRENT_LIST_DIR}/main.cc)
target_compile_options(weir PRIVATE ${WEIR_WARNINGS})
target_link_libraries(weir PRIVATE weir_cli)
