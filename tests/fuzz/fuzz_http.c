// What clients and proxies write into headers: Host, Origin, Accept, Forwarded and its kin. A line of the input is a header's
// value each; what comes of it is an address or none, a weight up to 1000, and a name that is no longer than its place.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "http/accept.h"
#include "http/forwarded.h"
#include "http/hosts.h"

enum { VALUES = 4 };

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void cut_lines(char *text, const char *values[VALUES])
{
    for (unsigned i = 0; i < VALUES; i++) {
        values[i] = text[0] == '-' ? NULL : text; // not there
        text += strcspn(text, "\n");
        if (*text == '\n')
            *text++ = '\0';
    }
}

static void check_forwarded(const char *const values[VALUES])
{
    static char *trusted[] = {"10.0.0.0/8", "2001:db8::/32"};
    static struct proxies proxies;
    static const struct address peer = {{10, 0, 0, 1}, 4};
    struct error error;
    struct forwarded found = {.from = peer};
    if (proxies.prefixes == NULL)
        expect(proxies_parse(&(struct string_list){trusted, 2}, &proxies, &error));
    forwarded_read(&(struct forwarded_headers){values[0], values[1], values[2], values[3]}, &proxies, &found);
    expect(found.from.version == 0 || found.from.version == 4 || found.from.version == 6);
    expect(memchr(found.host, '\0', sizeof found.host) != NULL);
    // Both kinds, or none: nothing has changed.
    bool x = values[0] != NULL || values[1] != NULL || values[2] != NULL;
    if (x == (values[3] != NULL))
        expect(address_compare(&found.from, &peer) == 0 && found.host[0] == '\0' && !found.secure);
}

static void check_names(const char *const values[VALUES])
{
    static char *allowed[] = {"sensor.example"};
    static const struct string_list names = {allowed, 1};
    static const struct address here = {{127, 0, 0, 1}, 4};
    const char *host = values[0] != NULL ? values[0] : "", *origin = values[1] != NULL ? values[1] : "";
    if (host_is_ours(host, &here, &names))
        expect(strcasestr(host, "localhost") != NULL || strcasestr(host, "sensor.example") != NULL ||
               strstr(host, "127.0.0.1") != NULL || strcasestr(host, "ffff") != NULL);
    if (origin_is_ours(origin, host, true, &names))
        expect(strncasecmp(origin, "https://", 8) == 0 || strcasestr(origin, "sensor.example") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *values[VALUES];
    char *text = strndup((const char *)bytes, length);
    cut_lines(text, values);
    check_forwarded(values);
    check_names(values);
    expect(accept_weight(values[2], "text/plain") <= 1000);
    accept_coding(values[2], "gzip");
    free(text);
    return 0;
}
