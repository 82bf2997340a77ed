#include "detect/allow_list.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "config/settings.h"

enum allow_side { ALLOW_SOURCE, ALLOW_TARGET, ALLOW_ANY };

enum { PORT_MAXIMUM = 65535, SHOWN_BYTES = 120 };

struct allow_entry {
    char *text; // as it was written; owned
    struct prefix network;
    uint16_t first_port, last_port; // 0 = any
    enum allow_side side;
    int64_t expires_ns; // INT64_MAX = never
    bool told;
};

// Entries for networks of one version and length, in the order of their addresses.
struct allow_group {
    uint8_t version, bits;
    unsigned first, count;
};

enum { GROUPS_MOST = 33 + 129 };

struct allow_list {
    struct allow_group groups[GROUPS_MOST];
    unsigned group_count, count;
    struct allow_entry entries[];
};

static bool refuse(struct error *error, const char *sentence)
{
    return error_set(error, ERROR_INVALID_ARGUMENT, "%s", sentence);
}

static bool looks_like_a_name(const char *word)
{
    return strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*") ==
               strlen(word) &&
           strpbrk(word, "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ*") != NULL;
}

static bool read_network(const char *word, struct allow_entry *entry, struct error *error)
{
    if (prefix_parse(word, &entry->network))
        return true;
    if (looks_like_a_name(word))
        return refuse(
            error, "begins with a name; entries by name or domain are not possible yet: give the addresses "
                   "as CIDR");
    return refuse(
        error, "must begin with an address or a network in CIDR whose host bits are 0, such as 10.0.0.0/8");
}

static bool read_port(const char **text, uint16_t *port)
{
    unsigned long value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9' && value <= PORT_MAXIMUM; at++)
        value = value * 10 + (unsigned long)(*at - '0');
    bool good = at > *text && value > 0 && value <= PORT_MAXIMUM;
    *port = (uint16_t)value;
    *text = at;
    return good;
}

static bool read_ports(const char *value, struct allow_entry *entry, struct error *error)
{
    bool good = read_port(&value, &entry->first_port);
    entry->last_port = entry->first_port;
    if (good && *value == '-') {
        value++;
        good = read_port(&value, &entry->last_port);
    }
    if (good && *value == '\0' && entry->first_port <= entry->last_port)
        return true;
    return refuse(error, "port must be a number from 1 to 65535 or a range such as 9100-9200");
}

static bool read_side(const char *value, struct allow_entry *entry, struct error *error)
{
    static const char *const sides[] = {"source", "target", "any"};
    for (unsigned side = 0; side < sizeof sides / sizeof sides[0]; side++) {
        if (strcmp(sides[side], value) == 0) {
            entry->side = (enum allow_side)side;
            return true;
        }
    }
    return refuse(error, "side must be source, target or any");
}

static bool read_expiry(const char *value, struct allow_entry *entry, struct error *error)
{
    return time_parse_rfc3339(value, &entry->expires_ns) ||
           refuse(error, "expires must be a date such as 2027-01-31 or a time such as 2027-01-31T18:00:00Z");
}

static bool read_condition(const char *word, struct allow_entry *entry, struct error *error)
{
    static const struct {
        const char *start;
        bool (*read)(const char *value, struct allow_entry *entry, struct error *error);
    } conditions[] = {{"port=", read_ports}, {"side=", read_side}, {"expires=", read_expiry}};
    for (unsigned i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        size_t length = strlen(conditions[i].start);
        if (strncmp(word, conditions[i].start, length) == 0)
            return conditions[i].read(word + length, entry, error);
    }
    return error_set(error, ERROR_INVALID_ARGUMENT,
                     "\"%.*s\" is none of port=, side=, expires= and comment= (which goes to the end)",
                     SHOWN_BYTES, word);
}

// Takes the text apart; the comment is for people only.
static bool read_words(char *text, struct allow_entry *entry, struct error *error)
{
    static const char blanks[] = " \t";
    char *rest;
    char *word = strtok_r(text, blanks, &rest);
    if (word == NULL)
        return refuse(error, "is empty");
    if (!read_network(word, entry, error))
        return false;
    while ((word = strtok_r(NULL, blanks, &rest)) != NULL && strncmp(word, "comment=", 8) != 0) {
        if (!read_condition(word, entry, error))
            return false;
    }
    return true;
}

static bool add_entry(struct allow_list *list, const char *text, struct error *error)
{
    char *copy = strdup(text), *words = strdup(text);
    struct allow_entry *entry = &list->entries[list->count];
    *entry = (struct allow_entry){.text = copy, .expires_ns = INT64_MAX};
    bool good = (copy != NULL && words != NULL) || error_set(error, ERROR_EXHAUSTED, "no memory for it");
    good = good && read_words(words, entry, error);
    free(words);
    if (!good) {
        free(copy);
        return error_prefix(error, "analysis.anomalies.allow: \"%.*s\"", SHOWN_BYTES, text);
    }
    list->count++;
    return true;
}

static int compare_entries(const void *left, const void *right)
{
    const struct prefix *one = &((const struct allow_entry *)left)->network,
                        *other = &((const struct allow_entry *)right)->network;
    if (one->address.version != other->address.version)
        return one->address.version - other->address.version;
    return one->bits != other->bits ? one->bits - other->bits
                                    : address_compare(&one->address, &other->address);
}

static void group_entries(struct allow_list *list)
{
    qsort(list->entries, list->count, sizeof list->entries[0], compare_entries);
    for (unsigned i = 0; i < list->count; i++) {
        const struct prefix *network = &list->entries[i].network;
        struct allow_group *group = list->group_count > 0 ? &list->groups[list->group_count - 1] : NULL;
        if (group == NULL || group->version != network->address.version || group->bits != network->bits) {
            assert(list->group_count < GROUPS_MOST);
            group = &list->groups[list->group_count++];
            *group = (struct allow_group){network->address.version, network->bits, i, 0};
        }
        group->count++;
    }
}

struct allow_list *allow_list_create(const struct string_list *entries, struct error *error)
{
    struct allow_list *list = calloc(1, sizeof *list + entries->count * sizeof list->entries[0]);
    if (list == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for analysis.anomalies.allow");
        return NULL;
    }
    for (unsigned i = 0; i < entries->count; i++) {
        if (!add_entry(list, entries->items[i], error)) {
            allow_list_destroy(list);
            return NULL;
        }
    }
    group_entries(list);
    return list;
}

void allow_list_destroy(struct allow_list *list)
{
    for (unsigned i = 0; list != NULL && i < list->count; i++)
        free(list->entries[i].text);
    free(list);
}

static bool covers_port(const struct allow_entry *entry, const struct endpoint *source,
                        const struct endpoint *target)
{
    uint16_t port = target->port != 0 ? target->port : source->port;
    return entry->first_port == 0 || (port >= entry->first_port && port <= entry->last_port);
}

// Of a group, the first entry that does not come before this network.
static unsigned find_network(const struct allow_list *list, const struct allow_group *group,
                             const struct address *network)
{
    unsigned first = group->first, end = group->first + group->count;
    while (first < end) {
        unsigned middle = first + (end - first) / 2;
        if (address_compare(&list->entries[middle].network.address, network) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static bool group_covers(const struct allow_list *list, const struct allow_group *group, enum allow_side side,
                         const struct endpoint ends[2], int64_t now_ns)
{
    struct address network = address_network(&ends[side].address, group->bits);
    for (unsigned i = find_network(list, group, &network); i < group->first + group->count; i++) {
        const struct allow_entry *entry = &list->entries[i];
        if (address_compare(&entry->network.address, &network) != 0)
            return false;
        assert(entry->first_port <= entry->last_port);
        if ((entry->side == side || entry->side == ALLOW_ANY) && now_ns <= entry->expires_ns &&
            covers_port(entry, &ends[ALLOW_SOURCE], &ends[ALLOW_TARGET]))
            return true;
    }
    return false;
}

bool allow_list_covers(const struct allow_list *list, const struct endpoint *source,
                       const struct endpoint *target, int64_t now_ns)
{
    const struct endpoint ends[2] = {[ALLOW_SOURCE] = *source, [ALLOW_TARGET] = *target};
    for (unsigned i = 0; i < list->group_count; i++)
        for (enum allow_side side = ALLOW_SOURCE; side <= ALLOW_TARGET; side++)
            if (list->groups[i].version == ends[side].address.version &&
                group_covers(list, &list->groups[i], side, ends, now_ns))
                return true;
    return false;
}

const char *allow_list_expired(struct allow_list *list, int64_t now_ns)
{
    for (unsigned i = 0; i < list->count; i++) {
        struct allow_entry *entry = &list->entries[i];
        if (!entry->told && now_ns > entry->expires_ns) {
            entry->told = true;
            return entry->text;
        }
    }
    return NULL;
}

// The port that all targets have; 0 = none.
static uint16_t common_port(const struct alert *alert)
{
    uint16_t port = alert->target_count > 0 ? alert->target[0].endpoint.port : 0;
    for (unsigned i = 1; i < alert->target_count; i++)
        if (alert->target[i].endpoint.port != port)
            return 0;
    return port;
}

void allow_list_entry_for(const struct alert *alert, char into[ALLOW_ENTRY_BYTES])
{
    bool one_source = alert->source_count == 1 && alert->sources_total <= 1;
    bool one_target = alert->target_count == 1 && alert->targets_total <= 1;
    const struct alert_party *party = one_source ? alert->source : alert->target;
    uint16_t port = common_port(alert);
    char address[ADDRESS_TEXT_BYTES], ports[16] = "";
    into[0] = '\0';
    if (!one_source && !one_target)
        return;
    if (port != 0)
        snprintf(ports, sizeof ports, " port=%u", port);
    snprintf(into, ALLOW_ENTRY_BYTES, "%s%s%s", address_format(&party->endpoint.address, address), ports,
             one_source ? "" : " side=target");
}
