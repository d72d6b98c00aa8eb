# bench/compare: Wengert, hand-written C, and the peers that are there, in one program. A file that is
# not of the harness is a case and holds hand-written code: it is compiled as a careful engineer
# compiles what shall be fast (see simd.h).
set(compare_folder ${PROJECT_SOURCE_DIR}/bench/compare)
file(GLOB compare_sources CONFIGURE_DEPENDS ${compare_folder}/*.c)
set(compare_cases ${compare_sources})
list(FILTER compare_cases EXCLUDE REGEX "/(main|problem|report|ours|hand|torch)\\.c$")
if(NOT WG_SANITIZE AND NOT WG_SANITIZE_THREAD)
    include(CheckCCompilerFlag)
    check_c_compiler_flag(-march=native HAS_MARCH_NATIVE)
    set(compare_flags -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math -fopenmp-simd)
    if(HAS_MARCH_NATIVE)
        list(APPEND compare_flags -march=native)
    endif()
    set_source_files_properties(${compare_cases} PROPERTIES COMPILE_OPTIONS "${compare_flags}")
endif()

add_executable(bench_compare ${compare_sources})
set_target_properties(bench_compare PROPERTIES
    OUTPUT_NAME compare RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
target_compile_definitions(bench_compare PRIVATE WG_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
# Its pragmas are for those who know OpenMP; no function that takes vectors leaves its file.
target_compile_options(bench_compare PRIVATE -Wno-unknown-pragmas -Wno-psabi
    $<$<C_COMPILER_ID:Clang>:-Wno-pass-failed>) # clang knows no vector variant of these functions
target_link_libraries(bench_compare PRIVATE wengert m)
if(WG_BLAS)
    target_compile_definitions(bench_compare PRIVATE WG_BLAS=1)
    target_link_libraries(bench_compare PRIVATE PkgConfig::OPENBLAS)
endif()

include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER AND NOT WG_SANITIZE AND NOT WG_SANITIZE_THREAD AND NOT WG_FUZZ)
    enable_language(CXX) # a peer's; nothing of ours is C++
    find_path(ADOLC_INCLUDE adolc/adolc.h)
    find_library(ADOLC_LIBRARY adolc)
    if(ADOLC_INCLUDE AND ADOLC_LIBRARY)
        target_sources(bench_compare PRIVATE ${compare_folder}/adolc.cc)
        set_source_files_properties(${compare_folder}/adolc.cc PROPERTIES COMPILE_OPTIONS -O3)
        target_compile_definitions(bench_compare PRIVATE WG_ADOLC=1)
        target_include_directories(bench_compare SYSTEM PRIVATE ${ADOLC_INCLUDE})
        target_link_libraries(bench_compare PRIVATE ${ADOLC_LIBRARY})
    endif()
endif()
