# What `cmake --install` puts in place: both libraries, the headers, the CMake package and the
# pkg-config file. Nothing installed holds an absolute path: the tree may be moved. (The command is
# installed where it is built.)
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/wengert)
foreach(library wengert wengert_static)
    # The build's include folders are of no use to a user.
    set_target_properties(${library} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>;$<BUILD_INTERFACE:${generated_include}>")
endforeach()
install(TARGETS wengert EXPORT wengert_shared INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS wengert_static EXPORT wengert_static
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING
    PATTERN "*.h" PATTERN "*.hpp")
if(make_ops_header)
    install(FILES ${ops_header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wengert)
endif()

# ---- find_package(wengert)

install(EXPORT wengert_shared NAMESPACE wengert:: FILE wengert-shared.cmake
    DESTINATION ${package_folder})
install(EXPORT wengert_static NAMESPACE wengert:: FILE wengert-static.cmake
    DESTINATION ${package_folder})
configure_package_config_file(cmake/wengert-config.cmake.in
    ${PROJECT_BINARY_DIR}/cmake/wengert-config.cmake INSTALL_DESTINATION ${package_folder})
# Before version 1 a minor version may break what its forerunner promised.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/wengert-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cmake/wengert-config.cmake
    ${PROJECT_BINARY_DIR}/cmake/wengert-config-version.cmake DESTINATION ${package_folder})

# ---- pkg-config wengert

file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
cmake_path(SET pc_to_prefix NORMALIZE ${pc_to_prefix}.) # without the slash at its end
string(REGEX REPLACE "/$" "" pc_to_prefix "${pc_to_prefix}")
file(RELATIVE_PATH pc_include ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
file(RELATIVE_PATH pc_lib ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
# Not Requires.private: who links the shared library needs no openblas.pc.
set(pc_private -lm ${CMAKE_THREAD_LIBS_INIT})
if(WG_NATIVE_BACKEND AND CMAKE_DL_LIBS)
    list(APPEND pc_private -l${CMAKE_DL_LIBS})
endif()
if(WG_BLAS)
    list(PREPEND pc_private ${OPENBLAS_STATIC_LDFLAGS})
endif()
list(JOIN pc_private " " pc_private)
configure_file(cmake/wengert.pc.in ${PROJECT_BINARY_DIR}/cmake/wengert.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cmake/wengert.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
