#include "config/toml_hint.h"

#include <string.h>

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

static bool is_key(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '_' || character == '-' || character == '.';
}

static size_t run_of(bool (*belongs)(char), const char *line, size_t length)
{
    size_t run = 0;
    while (run < length && belongs(line[run]))
        run++;
    return run;
}

// `[section]` alone on its line.
static bool is_table(const char *line, size_t length)
{
    size_t name = run_of(is_key, line + 1, length - 1);
    if (name == 0 || 1 + name >= length || line[1 + name] != ']')
        return false;
    size_t at = 2 + name;
    at += run_of(is_blank, line + at, length - at);
    return at == length || line[at] == '#';
}

static bool is_assignment(const char *line, size_t length)
{
    size_t at = run_of(is_key, line, length);
    if (at == 0)
        return false;
    at += run_of(is_blank, line + at, length - at);
    return at < length && line[at] == '=';
}

static bool looks_like_toml(const char *bytes, size_t length, unsigned *number)
{
    const char *end = bytes + length;
    *number = 1;
    for (const char *line = bytes; line < end; ++*number) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline != NULL ? newline : end;
        line += run_of(is_blank, line, (size_t)(stop - line));
        if (line < stop && *line != '#')
            return line[0] == '[' ? is_table(line, (size_t)(stop - line))
                                  : is_assignment(line, (size_t)(stop - line));
        line = stop + 1;
    }
    return false;
}

bool toml_refuse(const char *name, const char *bytes, size_t length, struct error *error)
{
    static const char mend[] = "settings are YAML, where `[capture]` with `interface = \"eth0\"` is written "
                               "`capture: {interfaces: [eth0]}`; every key stands in docs/configuration.md";
    unsigned line;
    if (looks_like_toml(bytes, length, &line))
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s:%u: this is TOML; %s", name, line, mend);
    size_t tail = strlen(name);
    if (tail >= 5 && strcmp(name + tail - 5, ".toml") == 0)
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s: the name is that of a TOML file; %s", name,
                         mend);
    return true;
}
