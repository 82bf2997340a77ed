#include "api/tokens.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/grant.h"
#include "base/digest.h"

#define HASH_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" // of "a"
#define HASH_B "3E23E8160039594A33894F6564E1B1348BBD7A0088D42C4ACB73EEAED59C009D" // of "b"

static struct token_table table;

static void parse(const char *text)
{
    struct error error = {.text = ""};
    cr_assert(tokens_parse(text, strlen(text), "tokens", &table, &error), "%s", error.text);
}

static const struct grant *find(const char *token)
{
    uint8_t digest[DIGEST_BYTES_MAX];
    cr_assert(digest_bytes(DIGEST_SHA256, token, strlen(token), digest));
    const struct token *found = tokens_find(&table, digest);
    return found != NULL ? found->grant : NULL;
}

static void expect_refused_bytes(const char *text, size_t length, const char *place, const char *part)
{
    struct error error = {.text = ""};
    cr_expect_not(tokens_parse(text, length, "tokens", &table, &error), "%s", text);
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
    cr_expect_eq(strncmp(error.text, place, strlen(place)), 0, "%s", error.text);
    cr_expect_not_null(strstr(error.text, part), "no \"%s\" in: %s", part, error.text);
    cr_expect_eq(table.count, 0);
}

static void expect_refused(const char *text, const char *place, const char *part)
{
    expect_refused_bytes(text, strlen(text), place, part);
}

Test(tokens, reads_names_roles_and_limits)
{
    parse("# who may\n\n  shop viewer " HASH_A " namespace=shop network=10.0.0.0/8 node=worker-1\r\n"
          "\tops\toperator " HASH_B);
    cr_assert_eq(table.count, 2);
    const struct grant *shop = find("a"), *ops = find("b");
    cr_assert(shop != NULL && ops != NULL);
    cr_expect_str_eq(shop->identity, "shop");
    cr_expect_eq(shop->role, ROLE_VIEWER);
    cr_assert_not_null(shop->limits);
    cr_expect_eq(shop->limits->word_count, 3);
    cr_expect_str_eq(shop->limits->namespaces[0], "shop");
    cr_expect_eq(shop->limits->networks[0].bits, 8);
    cr_expect_str_eq(shop->limits->nodes[0], "worker-1");
    cr_expect_str_eq(ops->identity, "ops");
    cr_expect_eq(ops->role, ROLE_OPERATOR);
    cr_expect_null(ops->limits);
    cr_expect_null(find("c"));
    tokens_done(&table);
}

Test(tokens, may_be_none)
{
    parse("");
    cr_expect_eq(table.count, 0);
    cr_expect_null(find("a"));
    parse("# nobody\n");
    cr_expect_eq(table.count, 0);
    tokens_done(&table);
}

Test(tokens, refuses_what_is_wrong_with_its_line)
{
    expect_refused("\nshop viewer\n", "tokens:2: ", "a name, a role, the SHA-256");
    expect_refused("shop reader " HASH_A,
                   "tokens:1: ", "\"reader\" is no role: viewer, packets and operator");
    expect_refused("shop viewer abc", "tokens:1: ", "sha256sum");
    expect_refused("shop viewer g" HASH_A, "tokens:1: ", "64 digits");
    expect_refused("shop viewer Za978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
                   "tokens:1: ", "64 digits");
    expect_refused("shop viewer e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                   "tokens:1: ", "an empty token");
    expect_refused("sh\"op viewer " HASH_A, "tokens:1: ", "no name");
    expect_refused("dns:shop viewer " HASH_A, "tokens:1: ", "no name");
}

Test(tokens, refuses_limits_that_are_none)
{
    expect_refused("shop viewer " HASH_A " network=10.0.0.1/8", "tokens:1: ", "host bits zero");
    expect_refused("shop viewer " HASH_A " namespace=", "tokens:1: ", "is no limit");
    expect_refused("shop viewer " HASH_A " shop", "tokens:1: ", "is no limit");
    expect_refused("shop viewer " HASH_A " pod=shop", "tokens:1: ", "network=, namespace= and node=");
    expect_refused("ops operator " HASH_A " namespace=shop", "tokens:1: ", "operator takes no limits");
    expect_refused("ops packets " HASH_A " network=10.0.0.0/8", "tokens:1: ", "packets takes no limits");
}

Test(tokens, refuses_what_is_there_twice)
{
    expect_refused("a viewer " HASH_A "\n#\na viewer " HASH_B, "tokens:3: ", "line 1");
    expect_refused("a viewer " HASH_A "\nb viewer " HASH_A, "tokens:2: ", "has the token of a in line 1");
}

Test(tokens, is_bounded)
{
    static char text[TOKENS_FILE_BYTES + 2];
    memset(text, 'a', sizeof text - 1);
    expect_refused(text, "tokens has more", "bytes");
    text[9000] = '\0';
    expect_refused(text, "tokens:1: ", "the line has more");
    size_t length = (size_t)sprintf(text, "a viewer " HASH_A);
    for (unsigned i = 0; i <= LIMITS_MOST; i++)
        length += (size_t)sprintf(text + length, " node=n%u", i);
    expect_refused(text, "tokens:1: ", "more than 64 limits");
    length = 0;
    for (unsigned i = 0; i <= TOKENS_MOST; i++)
        length += (size_t)sprintf(text + length, "a%u viewer %064x\n", i, i + 1);
    expect_refused(text, "tokens:4097: ", "more than 4096 tokens");
    expect_refused_bytes("a\0b", 3, "tokens:1: ", "text");
}

Test(tokens, finds_the_first_the_last_and_each_between)
{
    char text[4096];
    size_t length = 0;
    uint8_t digest[TOKEN_DIGEST_BYTES] = {0};
    for (unsigned i = 0; i < 9; i++)
        length += (size_t)sprintf(text + length, "a%u viewer %064x\n", i, i + 1);
    parse(text);
    for (unsigned i = 0; i < 9; i++) {
        digest[TOKEN_DIGEST_BYTES - 1] = (uint8_t)(i + 1);
        cr_expect_eq(tokens_find(&table, digest), &table.tokens[i]);
    }
    digest[0] = 0x80;
    cr_expect_null(tokens_find(&table, digest));
    tokens_done(&table);
}
