#include "http/hosts.h"

#include <string.h>
#include <strings.h>

#include "config/settings.h"

enum { HOST_BYTES = 256 };

// "name", "name:80", "[::1]:80": the name alone, without brackets and a dot at the end. False when it is none.
static bool name_of(const char *host, char name[HOST_BYTES])
{
    bool brackets = host[0] == '[';
    const char *begin = host + brackets, *end = strchr(begin, brackets ? ']' : ':');
    size_t length = end != NULL ? (size_t)(end - begin) : strlen(begin);
    const char *port = end == NULL ? "" : end + brackets;
    if (length == 0 || length >= HOST_BYTES || (brackets && end == NULL))
        return false;
    if (port[0] != '\0' && (port[0] != ':' || strspn(port + 1, "0123456789") != strlen(port + 1)))
        return false;
    memcpy(name, begin, length);
    name[length - (!brackets && begin[length - 1] == '.')] = '\0';
    return true;
}

// Behind "http://" or "https://"; NULL = it begins with neither.
static const char *authority_of(const char *origin, bool *by_tls)
{
    *by_tls = strncasecmp(origin, "https://", 8) == 0;
    return *by_tls ? origin + 8 : strncasecmp(origin, "http://", 7) == 0 ? origin + 7 : NULL;
}

static bool is_listed(const char *name, const struct string_list *names)
{
    char listed[HOST_BYTES];
    bool by_tls;
    for (unsigned i = 0; i < names->count; i++) {
        const char *authority = authority_of(names->items[i], &by_tls);
        if (name_of(authority != NULL ? authority : names->items[i], listed) && strcasecmp(name, listed) == 0)
            return true;
    }
    return false;
}

static bool is_listed_origin(const char *origin, const struct string_list *names)
{
    for (unsigned i = 0; i < names->count; i++)
        if (strcasecmp(origin, names->items[i]) == 0)
            return true;
    return false;
}

bool host_is_ours(const char *host, const struct address *here, const struct string_list *names)
{
    char name[HOST_BYTES];
    struct address literal;
    if (!name_of(host, name))
        return false;
    if (strcasecmp(name, "localhost") == 0 || is_listed(name, names))
        return true;
    if (here->version == 0 || !address_parse(name, &literal))
        return false;
    struct address ours = address_plain(here), theirs = address_plain(&literal);
    return address_compare(&ours, &theirs) == 0;
}

bool origin_is_ours(const char *origin, const char *host, bool secure, const struct string_list *names)
{
    char name[HOST_BYTES];
    bool by_tls;
    const char *authority = authority_of(origin, &by_tls);
    if (authority == NULL)
        return false;
    if (strcasecmp(authority, host) == 0 && by_tls == secure)
        return true;
    // A proxy in front may have ended TLS.
    return (strcasecmp(authority, host) == 0 && by_tls && name_of(host, name) && is_listed(name, names)) ||
           is_listed_origin(origin, names);
}
