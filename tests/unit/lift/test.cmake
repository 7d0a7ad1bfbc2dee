# The yardstick of what programs do, and what is made of lifted ones.
target_link_libraries(lift_test PRIVATE weir_vm weir_optimize)
