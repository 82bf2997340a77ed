# Cross build for arm64 on Debian: cmake -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64.cmake. docs/install.md lists the packages.
# Programs of the build (protoc, protoc-c) are the building machine's; libraries are found where Debian's multiarch has them.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(PKG_CONFIG_EXECUTABLE /usr/bin/pkg-config) # not the building machine's libraries, but:
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
