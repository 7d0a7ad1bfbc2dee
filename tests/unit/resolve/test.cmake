# Filters are written as text here.
target_link_libraries(resolve_test PRIVATE weir_grammar)
