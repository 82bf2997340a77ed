// Where in a request one is: "allow[0].client.ports[1].min". Grows and shrinks as a walk goes down and up; what does not
// fit is cut. A plain value; one thread.
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "api/status.h"

struct field_path {
    size_t length;
    char text[STATUS_FIELD_BYTES];
};

enum { FIELD_PATH_WHOLE = -1 }; // no index

// Returns what field_path_leave() takes.
static inline size_t field_path_enter(struct field_path *path, const char *name, int index)
{
    size_t before = path->length, room = sizeof path->text - before;
    const char *dot = before > 0 ? "." : "";
    int wanted = index < 0 ? snprintf(path->text + before, room, "%s%s", dot, name)
                           : snprintf(path->text + before, room, "%s%s[%d]", dot, name, index);
    path->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
    return before;
}

static inline void field_path_leave(struct field_path *path, size_t before)
{
    path->length = before;
    path->text[before] = '\0';
}
