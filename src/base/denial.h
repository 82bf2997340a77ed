// What a sentence about a file that is denied adds, with the cure: that rights were given up, or that this process runs in
// a container (the variable `container` of the environment says so, as in all images of ours, podman and systemd), where
// another user and other folders are seen than outside. Any thread; the environment is not written after the start.
#pragma once

#include <stdbool.h>

bool denial_in_container(void);

// In parentheses behind a space, or "", for an errno of open() or access().
const char *denial_reading(int reason);
const char *denial_writing(int reason);
