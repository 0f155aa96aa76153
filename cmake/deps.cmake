# OpenSSL 3.5 or newer: the system's where it is new enough, else the static build that
# `./dev deps` leaves in HTTPCG_DEPS (default: .deps/ in the source tree).
if(NOT HTTPCG_DEPS)
  if(DEFINED ENV{HTTPCG_DEPS})
    set(HTTPCG_DEPS $ENV{HTTPCG_DEPS})
  else()
    set(HTTPCG_DEPS ${PROJECT_SOURCE_DIR}/.deps)
  endif()
endif()
set(HTTPCG_DEPS ${HTTPCG_DEPS} CACHE PATH "Where ./dev deps keeps what it builds")

if(EXISTS ${HTTPCG_DEPS}/openssl/lib/libssl.a)
  set(OPENSSL_ROOT_DIR ${HTTPCG_DEPS}/openssl)
  set(OPENSSL_USE_STATIC_LIBS ON)
  set(HTTPCG_OPENSSL_STATIC ON)
endif()
find_package(OpenSSL 3.5 REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
