# One static library a folder: netscope_folder(decode SOURCES a.c b.c FLOORS base net LIBRARIES PkgConfig::X)
# FLOORS are the folders that it may include and link; LIBRARIES are third-party and stay private.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(NETSCOPE_WARNINGS
    -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wpointer-arith -Wcast-qual -Wstrict-prototypes
    -Wmissing-prototypes -Wwrite-strings -Wundef -Wformat=2 -Wvla)
option(NETSCOPE_WERROR "Warnings are errors" ON)
if(NETSCOPE_WERROR)
  list(APPEND NETSCOPE_WARNINGS -Werror)
endif()

# Asserts stay on in release builds: a bug must stop, not spread.
foreach(kind RELEASE RELWITHDEBINFO MINSIZEREL)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${kind} "${CMAKE_C_FLAGS_${kind}}")
endforeach()
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
set(CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE} -g -fstack-protector-strong -D_FORTIFY_SOURCE=2")

# Release builds are optimised across files: 12 % on the packet path (docs/performance.md).
include(CheckIPOSupported)
check_ipo_supported(RESULT NETSCOPE_IPO OUTPUT NETSCOPE_NO_IPO LANGUAGES C)
if(NETSCOPE_IPO AND CMAKE_BUILD_TYPE STREQUAL Release AND NOT NETSCOPE_SANITIZE AND NOT NETSCOPE_FUZZ)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

if(NETSCOPE_SANITIZE)
  add_compile_options(-fsanitize=${NETSCOPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${NETSCOPE_SANITIZE})
endif()
if(NETSCOPE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

function(netscope_folder name)
  cmake_parse_arguments(ARG "" "" "SOURCES;FLOORS;LIBRARIES" ${ARGN})
  add_library(netscope_${name} STATIC ${ARG_SOURCES})
  target_include_directories(netscope_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(netscope_${name} PUBLIC _GNU_SOURCE)
  target_compile_options(netscope_${name} PRIVATE ${NETSCOPE_WARNINGS})
  foreach(floor IN LISTS ARG_FLOORS)
    target_link_libraries(netscope_${name} PUBLIC netscope_${floor})
  endforeach()
  target_link_libraries(netscope_${name} PRIVATE ${ARG_LIBRARIES})
endfunction()
