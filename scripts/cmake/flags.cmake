# Warnings and hardening for our own code, as one interface target.
add_library(passation_flags INTERFACE)

target_compile_definitions(passation_flags INTERFACE _GNU_SOURCE)
target_compile_options(passation_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wundef -Wvla -Wcast-qual -Wcast-align
  -Wwrite-strings -Wpointer-arith -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference
  # Assertions are for our own defects, and stay on in every build.
  -UNDEBUG
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
  -fstack-protector-strong -ftrivial-auto-var-init=pattern -fno-strict-aliasing)
target_link_options(passation_flags INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|aarch64")
  target_compile_options(passation_flags INTERFACE -fstack-clash-protection)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(passation_flags INTERFACE -fcf-protection)
endif()
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT PASSATION_SANITIZE)
  target_compile_definitions(passation_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
if(PASSATION_ANALYZE)
  # It is to find what was never set, which the pattern would hide.
  target_compile_options(passation_flags INTERFACE -fanalyzer -ftrivial-auto-var-init=uninitialized)
endif()
if(PASSATION_COVERAGE)
  target_compile_options(passation_flags INTERFACE --coverage)
  target_link_options(passation_flags INTERFACE --coverage)
endif()
if(PASSATION_SANITIZE)
  target_compile_options(passation_flags INTERFACE -fsanitize=${PASSATION_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(passation_flags INTERFACE -fsanitize=${PASSATION_SANITIZE})
endif()
if(PASSATION_FUZZ)
  target_compile_options(passation_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
