// Writing to a standard stream without ever waiting for its reader. The flag for that belongs to the open file, which
// other processes share; so a pipe, a named pipe or a terminal is opened a second time.
#pragma once

#include <stddef.h>
#include <sys/types.h>

// Another descriptor for where `descriptor` leads, to be closed; nowait_write() to it never waits, but where it cannot
// be opened again (it is somebody else's). -1 with errno. Any thread.
int nowait_open(int descriptor);

// As write(2), on a descriptor of nowait_open(): -1 with EAGAIN where it would wait. No SIGPIPE from sockets.
ssize_t nowait_write(int descriptor, const void *bytes, size_t length);
