# bench/csource: gradients of C functions beside the functions themselves, which are compiled as
# their users would compile them.
file(GLOB csource_models CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/csource/models/*.c)
add_executable(bench_csource ${PROJECT_SOURCE_DIR}/bench/csource/main.c ${csource_models})
set_target_properties(bench_csource PROPERTIES
    OUTPUT_NAME csource RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
target_compile_definitions(bench_csource PRIVATE WG_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
if(HAS_MARCH_NATIVE)
    set_source_files_properties(${csource_models} PROPERTIES COMPILE_OPTIONS "-O3;-march=native")
endif()
target_link_libraries(bench_csource PRIVATE wengert m)
