# What `cmake --install` leaves: the programs, libhttpcg with its headers, and the two ways in which
# C projects look for a library.
#
# Where OpenSSL was built by ./dev deps its libcrypto goes along, in a folder of ours: the system's
# own is too old for libhttpcg, and would be found first.
include(CMakePackageConfigHelpers)

foreach(program httpcgd httpcg-client)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

target_include_directories(httpcg INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(httpcg PUBLIC $<INSTALL_INTERFACE:httpcg::crypto>)
install(DIRECTORY include/httpcg DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS httpcg EXPORT httpcg-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

set(HTTPCG_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/httpcg)
set(HTTPCG_CRYPTO_DIR ${CMAKE_INSTALL_LIBDIR}/httpcg)
if(HTTPCG_OPENSSL_STATIC)
  install(FILES ${HTTPCG_DEPS}/openssl/lib/libcrypto.a DESTINATION ${HTTPCG_CRYPTO_DIR})
  # Hidden again in whatever is linked with it, for the reason flags.cmake gives.
  set(HTTPCG_PC_CRYPTO "\${libdir}/httpcg/libcrypto.a -Wl,--exclude-libs,libcrypto.a -ldl -pthread")
else()
  set(HTTPCG_PC_REQUIRES "libcrypto >= 3.5")
endif()

configure_package_config_file(cmake/httpcg-config.cmake.in ${PROJECT_BINARY_DIR}/httpcg-config.cmake
  INSTALL_DESTINATION ${HTTPCG_CMAKE_DIR} PATH_VARS HTTPCG_CRYPTO_DIR)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/httpcg-config-version.cmake
  COMPATIBILITY SameMinorVersion)
# Both files say where things are relative to themselves, so that the folder may move.
file(RELATIVE_PATH HTTPCG_PC_TO_PREFIX
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/httpcg.pc.in ${PROJECT_BINARY_DIR}/httpcg.pc @ONLY)
install(EXPORT httpcg-targets NAMESPACE httpcg:: DESTINATION ${HTTPCG_CMAKE_DIR})
install(FILES ${PROJECT_BINARY_DIR}/httpcg-config.cmake
  ${PROJECT_BINARY_DIR}/httpcg-config-version.cmake DESTINATION ${HTTPCG_CMAKE_DIR})
install(FILES ${PROJECT_BINARY_DIR}/httpcg.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
