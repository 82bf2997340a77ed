#include "api/peers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/grant.h"

enum { WORDS_MOST = 2 + LIMITS_MOST };
enum rule_kind { RULE_SAN, RULE_UID, RULE_GID };

struct peer_rule {
    enum rule_kind kind;
    unsigned number;     // of uid and gid
    struct grant *grant; // its identity is the name of a RULE_SAN
};

// Words before the colon that tell what a name in a certificate is.
static const char *value_of(const char *name)
{
    static const char *const kinds[] = {"dns:", "uri:", "email:", "ip:"};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(name, kinds[i], strlen(kinds[i])) == 0)
            return name + strlen(kinds[i]);
    return name;
}

// Host names have no case. A rule that does not tell of what kind its name is takes any.
static bool name_fits(const char *rule, const char *name)
{
    bool has_case = strncmp(name, "dns:", 4) != 0;
    const char *compared = value_of(rule) == rule ? value_of(name) : name;
    return strcmp(rule, compared) == 0 || (!has_case && strcasecmp(rule, compared) == 0);
}

static bool read_number(const char *text, unsigned *number)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *number = (unsigned)value;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && value < UINT32_MAX;
}

static bool read_who(const char *word, struct peer_rule *rule, struct error *error)
{
    const char *value = strchr(word, '=');
    if (strncmp(word, "san=", 4) == 0 && word[4] != '\0')
        rule->kind = RULE_SAN;
    else if (strncmp(word, "uid=", 4) == 0 || strncmp(word, "gid=", 4) == 0)
        rule->kind = word[0] == 'u' ? RULE_UID : RULE_GID;
    else
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "\"%.80s\" names nobody: write san=NAME, uid=NUMBER or gid=NUMBER, then a role",
                         word);
    return rule->kind == RULE_SAN || read_number(value + 1, &rule->number) ||
           error_set(error, ERROR_INVALID_ARGUMENT,
                     "\"%.40s\" is no number: `id` tells those of users and groups", value + 1);
}

static bool read_entry(const char *entry, struct peer_rule *rule, struct error *error)
{
    char *words[WORDS_MOST + 1], *line = strdup(entry);
    unsigned count = line != NULL ? words_cut(line, words, WORDS_MOST + 1) : 0;
    bool good = false;
    if (line == NULL)
        error_set(error, ERROR_EXHAUSTED, "no memory for callers");
    else if (count == 0 || count > WORDS_MOST)
        error_set(error, ERROR_INVALID_ARGUMENT,
                  "write san=NAME, uid=N or gid=N, a role, then limits if any");
    else if (read_who(words[0], rule, error))
        good = (rule->grant = grant_parse(words[0] + 4, words + 1, count - 1, error)) != NULL;
    free(line);
    return good;
}

bool peer_rules_parse(const struct string_list *entries, struct peer_rules *out, struct error *error)
{
    *out = (struct peer_rules){.rules = calloc(entries->count + 1, sizeof *out->rules)};
    if (out->rules == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for callers");
    for (; out->count < entries->count; out->count++) {
        const char *entry = entries->items[out->count];
        if (read_entry(entry, &out->rules[out->count], error))
            continue;
        peer_rules_done(out);
        return error_prefix(error, "\"%.80s\"", entry);
    }
    return true;
}

void peer_rules_done(struct peer_rules *rules)
{
    for (unsigned i = 0; i < rules->count; i++)
        grant_release(rules->rules[i].grant);
    free(rules->rules);
    *rules = (struct peer_rules){0};
}

static bool rule_fits(const struct peer_rule *rule, const struct peer *peer, const char **name)
{
    *name = NULL;
    if (rule->kind == RULE_UID)
        return peer->local_socket && peer->uid == rule->number;
    if (rule->kind == RULE_GID)
        return peer->local_socket && peer->gid == rule->number;
    for (unsigned i = 0; i < peer->name_count; i++) {
        *name = peer->names[i];
        if (name_fits(rule->grant->identity, *name))
            return true;
    }
    return false;
}

const struct grant *peer_rules_find(const struct peer_rules *rules, const struct peer *peer,
                                    const char **name)
{
    for (enum rule_kind kind = RULE_SAN; kind <= RULE_GID; kind++)
        for (unsigned i = 0; i < rules->count; i++)
            if (rules->rules[i].kind == kind && rule_fits(&rules->rules[i], peer, name))
                return rules->rules[i].grant;
    *name = NULL;
    return NULL;
}
