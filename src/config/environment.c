#include "config/loading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/nearest.h"

static const char prefix[] = "NETSCOPE_";

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *name, size_t length, const char *end)
{
    size_t tail = strlen(end);
    return length >= tail && memcmp(name + length - tail, end, tail) == 0;
}

// "_PORT_<number>_" somewhere in the name.
static bool names_numbered_port(const char *name)
{
    for (const char *at = strstr(name, "_PORT_"); at != NULL; at = strstr(at + 1, "_PORT_")) {
        const char *digits = at + strlen("_PORT_");
        size_t count = strspn(digits, "0123456789");
        if (count > 0 && digits[count] == '_')
            return true;
    }
    return false;
}

// What Kubernetes puts into every container of a namespace that has a service called netscope or
// netscope-something: <SERVICE>_SERVICE_HOST, _SERVICE_PORT[_NAME], _PORT, _PORT_<n>_<PROTOCOL>[_...].
static bool is_service_link(const char *variable)
{
    size_t length = strcspn(variable, "=");
    const char *value = variable[length] == '=' ? variable + length + 1 : "";
    if (starts_with(value, "tcp://") || starts_with(value, "udp://") || starts_with(value, "sctp://"))
        return true;
    char name[SETTING_KEY_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), variable);
    return ends_with(variable, length, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") != NULL ||
           names_numbered_port(name);
}

// Index of the setting that this "NAME=value" is for, or -1.
static int setting_of(const char *variable)
{
    size_t length = strcspn(variable, "=");
    for (unsigned i = 0; i < setting_count; i++) {
        char name[SETTING_KEY_BYTES];
        setting_variable(&setting_table[i], name);
        if (strlen(name) == length && memcmp(name, variable, length) == 0)
            return (int)i;
    }
    return -1;
}

static bool is_ours(const char *variable)
{
    return starts_with(variable, prefix) && !is_service_link(variable);
}

static bool read_variable(const char *variable, struct loading *loading, struct error *error)
{
    int index = setting_of(variable);
    if (index < 0)
        return true;
    char name[SETTING_KEY_BYTES];
    setting_variable(&setting_table[index], name);
    const char *value = variable + strlen(name);
    value += *value == '=';
    return loading_put(loading, (unsigned)index, LEVEL_ENVIRONMENT, name, value, error);
}

bool environment_read(char **environment, struct loading *loading, struct error *error)
{
    for (; environment != NULL && *environment != NULL; environment++) {
        if (is_ours(*environment) && !read_variable(*environment, loading, error))
            return false;
    }
    return true;
}

// False when none is near; the prefix, which they share, does not make them so.
static bool nearest_variable(const char *name, char nearest[SETTING_KEY_BYTES])
{
    unsigned least = UINT32_MAX;
    for (unsigned i = 0; i < setting_count; i++) {
        char candidate[SETTING_KEY_BYTES];
        setting_variable(&setting_table[i], candidate);
        unsigned distance = edit_distance(name, candidate);
        if (distance < least) {
            least = distance;
            memcpy(nearest, candidate, sizeof candidate);
        }
    }
    return edits_are_near(name + strlen(prefix), least);
}

// What netscopectl reads: a container has both.
static bool is_of_client(const char *variable)
{
    static const char *const names[] = {
        "NETSCOPE_SERVER", "NETSCOPE_TOKEN",    "NETSCOPE_TOKEN_FILE", "NETSCOPE_TLS",
        "NETSCOPE_TLS_CA", "NETSCOPE_TLS_CERT", "NETSCOPE_TLS_KEY",    "NETSCOPE_TLS_SERVER_NAME",
    };
    size_t length = strcspn(variable, "=");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == length && memcmp(names[i], variable, length) == 0)
            return true;
    return false;
}

void environment_warn(char **environment)
{
    for (; environment != NULL && *environment != NULL; environment++) {
        if (!is_ours(*environment) || setting_of(*environment) >= 0 || is_of_client(*environment))
            continue;
        char name[SETTING_KEY_BYTES], nearest[SETTING_KEY_BYTES];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*environment, "="), *environment);
        if (nearest_variable(name, nearest))
            log_warning("config", "the variable %s sets nothing; the nearest that does is %s", name, nearest);
        else
            log_warning("config", "the variable %s sets nothing", name);
    }
}
