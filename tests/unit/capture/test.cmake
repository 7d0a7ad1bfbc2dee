target_compile_definitions(capture_test PRIVATE WEIR_PACKETS="${CMAKE_SOURCE_DIR}/corpus/packets")
