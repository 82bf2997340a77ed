# netscope_proto: C code for proto/**.proto and what they import of google/protobuf, made by protoc-c
# (Debian: protobuf-c-compiler, libprotobuf-c-dev; google/protobuf comes with libprotobuf-dev) in the build
# directory. Who links it includes "netscope/v1/flow.pb-c.h". Generated code has warnings of its own.
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET GLOBAL libprotobuf-c)
find_program(PROTOC_C protoc-c)
find_path(PROTOBUF_PROTO_DIR google/protobuf/timestamp.proto)
if(NOT PROTOC_C)
  message(FATAL_ERROR "protoc-c is missing; on Debian: apt-get install protobuf-c-compiler")
endif()
if(NOT PROTOBUF_PROTO_DIR)
  message(FATAL_ERROR "google/protobuf/timestamp.proto is missing; on Debian: apt-get install libprotobuf-dev")
endif()

set(NETSCOPE_PROTO_DIR ${PROJECT_SOURCE_DIR}/proto)
set(NETSCOPE_PROTO_OUT ${PROJECT_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${NETSCOPE_PROTO_OUT})
file(GLOB_RECURSE NETSCOPE_PROTOS CONFIGURE_DEPENDS RELATIVE ${NETSCOPE_PROTO_DIR}
     ${NETSCOPE_PROTO_DIR}/netscope/v1/*.proto ${NETSCOPE_PROTO_DIR}/google/rpc/*.proto
     ${NETSCOPE_PROTO_DIR}/grpc/*.proto)

set(NETSCOPE_PROTO_SOURCES)
foreach(proto IN LISTS NETSCOPE_PROTOS ITEMS google/protobuf/any.proto
        google/protobuf/descriptor.proto google/protobuf/duration.proto google/protobuf/timestamp.proto)
  string(REGEX REPLACE "\\.proto$" ".pb-c" stem ${proto})
  if(proto MATCHES "^google/protobuf/")
    set(proto_file ${PROTOBUF_PROTO_DIR}/${proto})
  else()
    set(proto_file ${NETSCOPE_PROTO_DIR}/${proto})
  endif()
  add_custom_command(
    OUTPUT ${NETSCOPE_PROTO_OUT}/${stem}.c ${NETSCOPE_PROTO_OUT}/${stem}.h
    COMMAND ${PROTOC_C} -I${NETSCOPE_PROTO_DIR} -I${PROTOBUF_PROTO_DIR} --c_out=${NETSCOPE_PROTO_OUT} ${proto}
    DEPENDS ${proto_file}
    COMMENT "protoc-c ${proto}"
    VERBATIM)
  list(APPEND NETSCOPE_PROTO_SOURCES ${NETSCOPE_PROTO_OUT}/${stem}.c ${NETSCOPE_PROTO_OUT}/${stem}.h)
endforeach()

# And all of them, with what they import, as a FileDescriptorSet in a C array, which server reflection serves: by protoc
# (Debian: protobuf-compiler).
find_program(PROTOC protoc)
if(NOT PROTOC)
  message(FATAL_ERROR "protoc is missing; on Debian: apt-get install protobuf-compiler")
endif()
set(NETSCOPE_DESCRIPTORS ${PROJECT_BINARY_DIR}/proto/descriptors.binpb)
set(NETSCOPE_DESCRIPTORS_C ${PROJECT_BINARY_DIR}/proto/descriptors.c)
list(TRANSFORM NETSCOPE_PROTOS PREPEND ${NETSCOPE_PROTO_DIR}/ OUTPUT_VARIABLE described)
add_custom_command(
  OUTPUT ${NETSCOPE_DESCRIPTORS_C}
  COMMAND ${PROTOC} -I${NETSCOPE_PROTO_DIR} -I${PROTOBUF_PROTO_DIR} --include_imports
          --descriptor_set_out=${NETSCOPE_DESCRIPTORS} ${NETSCOPE_PROTOS}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${NETSCOPE_DESCRIPTORS} -DOUTPUT=${NETSCOPE_DESCRIPTORS_C} -DNAME=netscope_descriptors
          -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${described} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  COMMENT "descriptors of all protos"
  VERBATIM)
list(APPEND NETSCOPE_PROTO_SOURCES ${NETSCOPE_DESCRIPTORS_C})

add_library(netscope_proto STATIC ${NETSCOPE_PROTO_SOURCES})
target_include_directories(netscope_proto SYSTEM PUBLIC ${NETSCOPE_PROTO_OUT})
target_link_libraries(netscope_proto PUBLIC PkgConfig::PROTOBUF_C)
