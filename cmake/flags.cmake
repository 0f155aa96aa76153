# Warnings, sanitizers and hardening, the same for every target of ours.
add_library(cg_flags INTERFACE)
target_include_directories(cg_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(cg_flags INTERFACE _GNU_SOURCE HTTPCG_VERSION="${PROJECT_VERSION}")
target_compile_options(cg_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Wundef -fvisibility=hidden)
# !"a sentence" is how an assertion or a test says what cannot be.
target_compile_options(cg_flags INTERFACE $<$<C_COMPILER_ID:Clang>:-Wno-string-conversion>)
if(HTTPCG_WERROR)
  target_compile_options(cg_flags INTERFACE -Werror)
endif()
if(HTTPCG_SANITIZE)
  target_compile_options(cg_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1)
  target_link_options(cg_flags INTERFACE -fsanitize=address,undefined)
else()
  target_compile_options(cg_flags INTERFACE -fstack-protector-strong -fstack-clash-protection -g)
  # cf-protection is x86's; elsewhere the compiler refuses it.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(cg_flags INTERFACE -fcf-protection)
  endif()
  target_compile_definitions(cg_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
  target_link_options(cg_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# The fuzz targets learn from which ways the code took; libFuzzer itself is linked to them alone.
if(HTTPCG_FUZZ)
  target_compile_options(cg_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Programs are position-independent when linked, too.
include(CheckPIESupported)
check_pie_supported()

# A database or resolver library brings the system's OpenSSL into the process; symbols of the one
# we link statically stay our own, or its calls would bind to them.
target_link_options(cg_flags INTERFACE -Wl,--exclude-libs,libssl.a:libcrypto.a)

# Optimise across files. The objects keep ordinary code beside the compiler's own form, so that an
# installed libhttpcg.a links with any compiler; only gcc makes such objects.
if(HTTPCG_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(cg_flags INTERFACE -flto=auto -ffat-lto-objects)
  target_link_options(cg_flags INTERFACE -flto=auto -O2)
endif()
# Assertions state what the code guarantees; they stay on in releases too.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

find_program(HTTPCG_CCACHE ccache)
if(HTTPCG_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${HTTPCG_CCACHE})
endif()

# cg_library(name sources...): one folder's static library, with our flags.
function(cg_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:cg_flags>)
endfunction()
