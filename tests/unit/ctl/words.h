// Command lines of tests.
#pragma once

#include <criterion/criterion.h>

#include "ctl/invocation.h"

// A command line by its words, NULL at the end.
#define LINE(...) ((char *const[]){"netscopectl", __VA_ARGS__, NULL})

static inline bool read_line(struct invocation *into, char *const line[], struct error *error)
{
    int count = 0;
    while (line[count] != NULL)
        count++;
    return invocation_read(into, count, line, error);
}

static inline struct invocation *taken(char *const line[])
{
    static struct invocation given;
    struct error error;
    cr_assert(read_line(&given, line, &error), "%s", error.text);
    return &given;
}

static inline void refused(char *const line[], const char *why)
{
    static struct invocation given;
    struct error error = {.kind = ERROR_NONE};
    cr_assert_not(read_line(&given, line, &error), "taken, and should not be: %s", why);
    cr_expect(strstr(error.text, why) != NULL, "\"%s\" does not say \"%s\"", error.text, why);
}
