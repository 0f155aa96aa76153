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
  # FindOpenSSL asks pkg-config what else a static library needs; let it ask about this one.
  set(ENV{PKG_CONFIG_PATH} "${HTTPCG_DEPS}/openssl/lib/pkgconfig:$ENV{PKG_CONFIG_PATH}")
endif()
find_package(OpenSSL 3.5 REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# The libraries' pkg-config files, as PkgConfig::NGHTTP2 and so on.
function(httpcg_need name module)
  pkg_check_modules(${name} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${module})
endfunction()
httpcg_need(NGHTTP2 libnghttp2>=1.52)
httpcg_need(UV libuv>=1.44)
httpcg_need(CARES libcares>=1.18)
httpcg_need(SQLITE sqlite3>=3.40)
httpcg_need(YAML yaml-0.1>=0.2.5)
httpcg_need(JANSSON jansson>=2.14)

# llhttp: Debian 13 packages it as a library. On Debian 12 `./dev deps` takes the generated C
# sources out of another package; version 8 of them is strict only when told so at compile time.
if(EXISTS ${HTTPCG_DEPS}/llhttp/src/llhttp.c)
  set(at ${HTTPCG_DEPS}/llhttp)
  add_library(cg_llhttp STATIC ${at}/src/llhttp.c ${at}/src/api.c ${at}/src/http.c)
  target_include_directories(cg_llhttp SYSTEM PUBLIC ${at}/include)
  target_compile_definitions(cg_llhttp PRIVATE LLHTTP_STRICT_MODE=1)
  target_compile_options(cg_llhttp PRIVATE -O2 -fvisibility=hidden -w)
  unset(at)
else()
  httpcg_need(LLHTTP libllhttp>=9)
  add_library(cg_llhttp INTERFACE)
  target_link_libraries(cg_llhttp INTERFACE PkgConfig::LLHTTP)
endif()
