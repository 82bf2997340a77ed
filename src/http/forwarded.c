#include "http/forwarded.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/settings.h"

// Proxies in a row, beyond which nobody has any.
enum { HOPS_MOST = 16 };

// Borrowed, without a terminator.
struct slice {
    const char *text;
    size_t length;
};

// What one proxy said of the request as it came to it; no text: not said.
struct hop {
    bool told;           // from whom it came...
    struct address from; // ...version 0 = from somebody without a readable address ("unknown", "_hidden")
    struct slice host, proto;
};

struct hops {
    struct hop hop[HOPS_MOST]; // the nearest proxy's last
    unsigned count;
};

bool proxies_parse(const struct string_list *list, struct proxies *out, struct error *error)
{
    *out = (struct proxies){.prefixes = calloc(list->count + 1, sizeof *out->prefixes)};
    if (out->prefixes == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for web.trusted_proxies");
    for (; out->count < list->count; out->count++)
        if (!prefix_parse(list->items[out->count], &out->prefixes[out->count])) {
            proxies_done(out);
            return error_set(
                error, ERROR_INVALID_ARGUMENT,
                "web.trusted_proxies: %.80s is no address and no network such as 10.0.0.0/8 (host bits zero)",
                list->items[out->count]);
        }
    return true;
}

void proxies_done(struct proxies *proxies)
{
    free(proxies->prefixes);
    *proxies = (struct proxies){0};
}

static bool is_trusted(const struct proxies *proxies, const struct address *address)
{
    struct address plain = address_plain(address);
    for (unsigned i = 0; i < proxies->count; i++)
        if (prefix_contains(&proxies->prefixes[i], &plain))
            return true;
    return false;
}

static struct slice trimmed(const char *begin, const char *stop)
{
    begin += strspn(begin, " \t");
    while (stop > begin && (stop[-1] == ' ' || stop[-1] == '\t'))
        stop--;
    return (struct slice){begin, stop > begin ? (size_t)(stop - begin) : 0};
}

// Up to the next comma, whatever stands between: X-Forwarded-For knows no quotes, but its first part may be of anybody.
static struct slice cut_plain(const char **at, const char *end)
{
    const char *begin = *at, *comma = memchr(begin, ',', (size_t)(end - begin));
    *at = comma != NULL ? comma + 1 : end;
    return trimmed(begin, comma != NULL ? comma : end);
}

// Up to `end` or the mark, whichever comes first, that stands outside of quotes; without blanks around it. `*at` goes behind it.
static struct slice cut(const char **at, const char *end, char mark)
{
    const char *begin = *at, *stop = begin;
    for (bool quoted = false; stop < end && (quoted || *stop != mark); stop++)
        if (*stop == '"')
            quoted = !quoted;
    *at = stop < end ? stop + 1 : end;
    return trimmed(begin, stop);
}

// An address, "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80"; else version 0 ("unknown", "_hidden").
static struct address address_of(struct slice node)
{
    char text[ADDRESS_TEXT_BYTES];
    struct address found;
    bool brackets = node.length > 0 && node.text[0] == '[';
    const char *begin = node.text + brackets;
    const char *end = memchr(begin, brackets ? ']' : ':', node.length - brackets);
    bool is_v6 =
        !brackets && end != NULL && memchr(end + 1, ':', node.length - (size_t)(end + 1 - begin)) != NULL;
    size_t length = end != NULL && !is_v6 ? (size_t)(end - begin) : node.length - brackets;
    if (length >= sizeof text)
        return (struct address){0};
    memcpy(text, begin, length);
    text[length] = '\0';
    return address_parse(text, &found) ? address_plain(&found) : (struct address){0};
}

static struct slice unquoted(struct slice value)
{
    if (value.length >= 2 && value.text[0] == '"' && value.text[value.length - 1] == '"')
        return (struct slice){value.text + 1, value.length - 2};
    return value;
}

static void add_hop(struct hops *hops, const struct hop *hop)
{
    if (hops->count == HOPS_MOST)
        memmove(hops->hop, hops->hop + 1, --hops->count * sizeof hops->hop[0]);
    hops->hop[hops->count++] = *hop;
}

static bool is_named(struct slice pair, const char *name, struct slice *value)
{
    size_t length = strlen(name);
    if (pair.length <= length || pair.text[length] != '=' || strncasecmp(pair.text, name, length) != 0)
        return false;
    *value = unquoted((struct slice){pair.text + length + 1, pair.length - length - 1});
    return true;
}

static void read_forwarded(const char *header, struct hops *hops)
{
    for (const char *at = header, *end = header + strlen(header); at < end;) {
        struct slice element = cut(&at, end, ','), node = {"", 0};
        struct hop hop = {0};
        for (const char *pair = element.text, *last = pair + element.length; pair < last;) {
            struct slice found = cut(&pair, last, ';');
            if (is_named(found, "for", &node))
                hop.told = true;
            else if (!is_named(found, "host", &hop.host))
                is_named(found, "proto", &hop.proto);
        }
        hop.from = address_of(node);
        add_hop(hops, &hop);
    }
}

static struct slice last_of(const char *list)
{
    struct slice found = {0};
    for (const char *at = list, *end = at + strlen(at); at < end;)
        found = cut_plain(&at, end);
    return found;
}

// Of these only addresses come one a proxy; the others are the nearest one's word.
static void read_x_forwarded(const struct forwarded_headers *headers, struct hops *hops)
{
    const char *list = headers->x_for != NULL ? headers->x_for : "";
    struct slice host = headers->x_host != NULL ? last_of(headers->x_host) : (struct slice){0};
    struct slice proto = headers->x_proto != NULL ? last_of(headers->x_proto) : (struct slice){0};
    for (const char *at = list, *end = at + strlen(at); at < end;) {
        struct slice node = cut_plain(&at, end);
        add_hop(hops, &(struct hop){node.length > 0, address_of(node), host, proto});
    }
    if (hops->count == 0)
        add_hop(hops, &(struct hop){.host = host, .proto = proto});
}

static bool is_text(struct slice slice, const char *text)
{
    return slice.length == strlen(text) && strncasecmp(slice.text, text, slice.length) == 0;
}

static void take_hop(const struct hop *hop, struct forwarded *into)
{
    if (is_text(hop->proto, "https") || is_text(hop->proto, "http"))
        into->secure = is_text(hop->proto, "https");
    if (hop->host.length == 0 || hop->host.length >= sizeof into->host)
        return;
    memcpy(into->host, hop->host.text, hop->host.length);
    into->host[hop->host.length] = '\0';
}

void forwarded_read(const struct forwarded_headers *headers, const struct proxies *proxies,
                    struct forwarded *into)
{
    struct hops hops = {0};
    bool x = headers->x_for != NULL || headers->x_proto != NULL || headers->x_host != NULL;
    if (x == (headers->forwarded != NULL) || !is_trusted(proxies, &into->from))
        return;
    if (x)
        read_x_forwarded(headers, &hops);
    else
        read_forwarded(headers->forwarded, &hops);
    while (hops.count > 0 && is_trusted(proxies, &into->from)) {
        const struct hop *hop = &hops.hop[--hops.count];
        take_hop(hop, into);
        if (!hop->told)
            return;
        into->from = hop->from;
    }
}
