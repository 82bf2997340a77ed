#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    assert(kind < ERROR_KINDS);
    va_list arguments;
    va_start(arguments, format);
    error->kind = kind;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

static void append(struct error *error, const char *text)
{
    size_t used = strnlen(error->text, sizeof error->text);
    assert(used < sizeof error->text);
    size_t length = strnlen(text, sizeof error->text - 1 - used);
    memcpy(error->text + used, text, length);
    error->text[used + length] = '\0';
}

bool error_prefix(struct error *error, const char *format, ...)
{
    char rest[ERROR_TEXT_BYTES];
    memcpy(rest, error->text, sizeof rest);

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    append(error, ": ");
    append(error, rest);
    return false;
}

enum error_kind error_kind_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERROR_PERMISSION;
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
        return ERROR_EXHAUSTED;
    default:
        return ERROR_UNAVAILABLE;
    }
}
