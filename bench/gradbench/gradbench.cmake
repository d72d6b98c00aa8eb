# bench/gradbench: the tool of GradBench, where cJSON is there. Its plain C is compiled as the suite
# compiles the functions that tools share.
if(TARGET PkgConfig::CJSON)
    file(GLOB gradbench_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/gradbench/*.c)
    add_executable(bench_gradbench ${gradbench_sources})
    set_target_properties(bench_gradbench PROPERTIES
        OUTPUT_NAME gradbench RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
    target_link_libraries(bench_gradbench PRIVATE wengert PkgConfig::CJSON m)
    if(NOT WG_SANITIZE AND NOT WG_SANITIZE_THREAD)
        set(plain_flags -O3 -ffp-contract=fast)
        if(HAS_MARCH_NATIVE)
            list(APPEND plain_flags -march=native)
        endif()
        set_source_files_properties(${PROJECT_SOURCE_DIR}/bench/gradbench/plain.c
            PROPERTIES COMPILE_OPTIONS "${plain_flags}")
    endif()
endif()
