#include "base/denial.h"

#include <errno.h>
#include <stdlib.h>

#include "base/capabilities.h"

bool denial_in_container(void)
{
    const char *kind = getenv("container");
    return kind != NULL && kind[0] != '\0';
}

// What is to be said without a container; NULL when the container may be the reason.
static const char *outside_container(int reason)
{
    const char *given_up = capabilities_denial(reason);
    return given_up[0] != '\0' || !denial_in_container() ? given_up : NULL;
}

const char *denial_reading(int reason)
{
    const char *outside = outside_container(reason);
    if (outside != NULL)
        return outside;
    switch (reason) {
    case EACCES:
    case EPERM:
        return " (the user of this container may not: run it as yourself, --user \"$(id -u)\", or hand the "
               "file in by "
               "standard input: docker run -i ... - < FILE)";
    case ENOENT:
        return " (a container sees only what is mounted: -v \"$PWD:/data:ro\", and the file is /data/FILE; "
               "or "
               "hand it in by standard input: docker run -i ... - < FILE)";
    default:
        return "";
    }
}

const char *denial_writing(int reason)
{
    const char *outside = outside_container(reason);
    if (outside != NULL)
        return outside;
    switch (reason) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
        return " (mount a folder that the user of this container may write: -v \"$PWD:/data\" --user "
               "\"$(id -u)\"; or write to standard output: -)";
    default:
        return "";
    }
}
