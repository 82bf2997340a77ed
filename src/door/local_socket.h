// A unix socket that is listened on. The file has mode 0660 from the beginning, whatever the umask; one that a dead
// server left is replaced, one that a live server listens on or that is no socket is not. Main thread.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct local_socket {
    int descriptor;   // -1 = none
    const char *path; // borrowed
    dev_t device;
    ino_t inode;
};

// Non-blocking. False with a sentence that begins with the name of the server.
bool local_socket_open(struct local_socket *local, const char *name, const char *path, struct error *error);
// Closes it and removes its file, unless that is another's by now.
void local_socket_close(struct local_socket *local);
