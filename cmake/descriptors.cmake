# NETSCOPE_DESCRIPTORS_C: our protos, gRPC's health and reflection, and all that they import, as a FileDescriptorSet in a C
# array, which server reflection serves. By protoc (Debian: protobuf-compiler).
find_program(PROTOC protoc)
if(NOT PROTOC)
  message(FATAL_ERROR "protoc is missing; on Debian: apt-get install protobuf-compiler")
endif()
set(NETSCOPE_DESCRIPTORS ${PROJECT_BINARY_DIR}/proto/descriptors.binpb)
set(NETSCOPE_DESCRIPTORS_C ${PROJECT_BINARY_DIR}/proto/descriptors.c)
set(described)
foreach(proto IN LISTS NETSCOPE_PROTOS)
  list(APPEND described ${NETSCOPE_PROTO_DIR}/${proto})
endforeach()
add_custom_command(
  OUTPUT ${NETSCOPE_DESCRIPTORS_C}
  COMMAND ${PROTOC} -I${NETSCOPE_PROTO_DIR} -I${PROTOBUF_PROTO_DIR} --include_imports
          --descriptor_set_out=${NETSCOPE_DESCRIPTORS} ${NETSCOPE_PROTOS}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${NETSCOPE_DESCRIPTORS} -DOUTPUT=${NETSCOPE_DESCRIPTORS_C} -DNAME=netscope_descriptors
          -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${described} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  COMMENT "descriptors of all protos"
  VERBATIM)
