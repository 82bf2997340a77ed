// Any bytes as a tokens file, and as an entry of auth.callers: refused with a sentence, or what can be found again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/grant.h"
#include "api/peers.h"
#include "api/tokens.h"
#include "config/settings.h"

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void check_tokens(const char *bytes, size_t length)
{
    struct token_table table;
    struct error error = {0};
    bool fine = tokens_parse(bytes, length, "fuzz", &table, &error);
    expect(fine || (error.kind == ERROR_INVALID_ARGUMENT && error.text[0] != '\0' && table.count == 0));
    for (size_t i = 0; i < table.count; i++) {
        expect(tokens_find(&table, table.tokens[i].digest) == &table.tokens[i]);
        expect(table.tokens[i].grant->limits == NULL || table.tokens[i].grant->role == ROLE_VIEWER);
    }
    tokens_done(&table);
}

static void check_entry(const char *bytes, size_t length)
{
    char *entry = strndup(bytes, length);
    struct string_list entries = {&entry, 1};
    struct peer_rules rules;
    struct error error = {0};
    const char *name;
    const struct peer peer = {.local_socket = true, .names = {"dns:a", "ip:10.0.0.1"}, .name_count = 2};
    bool fine = peer_rules_parse(&entries, &rules, &error);
    expect(fine || (error.kind == ERROR_INVALID_ARGUMENT && error.text[0] != '\0' && rules.count == 0));
    if (fine)
        peer_rules_find(&rules, &peer, &name);
    peer_rules_done(&rules);
    free(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    check_tokens((const char *)bytes, length);
    check_entry((const char *)bytes, length);
    return 0;
}
