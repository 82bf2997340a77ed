#include "ctl/settings_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096, PATH_BYTES = 4096 };

static const struct {
    const char *name, *variable;
} known[] = {
    {"server", "NETSCOPE_SERVER"},         {"tls", "NETSCOPE_TLS"},
    {"tls-ca", "NETSCOPE_TLS_CA"},         {"tls-cert", "NETSCOPE_TLS_CERT"},
    {"tls-key", "NETSCOPE_TLS_KEY"},       {"tls-server-name", "NETSCOPE_TLS_SERVER_NAME"},
    {"token-file", "NETSCOPE_TOKEN_FILE"},
};

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

static bool apply_line(char *line, const char *path, unsigned number, struct error *error)
{
    char *text = trim(line), *equals = strchr(text, '=');
    if (text[0] == '\0' || text[0] == '#')
        return true;
    if (equals != NULL) {
        *equals = '\0';
        const char *name = trim(text), *value = trim(equals + 1);
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (strcmp(known[i].name, name) == 0)
                return setenv(known[i].variable, value, 0) == 0 ||
                       error_set(error, ERROR_EXHAUSTED, "no memory for the settings of %s", path);
    }
    return error_set(
        error, ERROR_INVALID_ARGUMENT,
        "%s:%u: \"%.80s\" is no setting: server, tls, tls-ca, tls-cert, tls-key, tls-server-name and "
        "token-file are, as in server = 10.0.0.1:9871",
        path, number, text);
}

static bool apply_file(FILE *file, const char *path, struct error *error)
{
    char line[LINE_BYTES];
    bool fine = true;
    for (unsigned number = 1; fine && fgets(line, sizeof line, file) != NULL; number++)
        fine = apply_line(line, path, number, error);
    return fine;
}

static bool usual_path(char path[PATH_BYTES])
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    bool has_config = config != NULL && config[0] == '/';
    if (!has_config && (home == NULL || home[0] != '/'))
        return false;
    int length = snprintf(path, PATH_BYTES, "%s%s/netscope/netscopectl.conf", has_config ? config : home,
                          has_config ? "" : "/.config");
    return length < PATH_BYTES;
}

bool settings_file_apply(const char *path, struct error *error)
{
    char usual[PATH_BYTES];
    if (path == NULL && !usual_path(usual))
        return true;
    FILE *file = fopen(path != NULL ? path : usual, "re");
    if (file == NULL)
        return path == NULL || error_set(error, ERROR_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
    bool fine = apply_file(file, path != NULL ? path : usual, error);
    fclose(file);
    return fine;
}
