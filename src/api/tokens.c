#include "api/tokens.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/grant.h"

enum { WORDS_BEFORE_LIMITS = 3, WORDS_MOST = WORDS_BEFORE_LIMITS + LIMITS_MOST, LINE_BYTES = 8192 };

// A table in the making.
struct loading {
    struct token_table *table;
    size_t room;
    const char *path;
    unsigned line;
    struct error *error;
};

#define REFUSE(loading, ...)                                                                                 \
    (error_set((loading)->error, ERROR_INVALID_ARGUMENT, __VA_ARGS__),                                       \
     error_prefix((loading)->error, "%s:%u", (loading)->path, (loading)->line))

static bool read_name(struct loading *loading, const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@/";
    return (name[strspn(name, allowed)] == '\0' && strlen(name) < TOKEN_NAME_BYTES) ||
           REFUSE(loading, "\"%.80s\" is no name: at most %d letters, digits and . _ - @ /", name,
                  TOKEN_NAME_BYTES - 1);
}

static int digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return character >= 'A' && character <= 'F' ? character - 'A' + 10 : -1;
}

// The digest that an empty variable has, too, is refused: everybody knows its token.
static bool read_digest(struct loading *loading, const char *text, uint8_t digest[TOKEN_DIGEST_BYTES])
{
    static const uint8_t of_nothing[8] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14};
    bool good = strlen(text) == (size_t)2 * TOKEN_DIGEST_BYTES;
    for (unsigned i = 0; good && i < TOKEN_DIGEST_BYTES; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        digest[i] = (uint8_t)(good ? high * 16 + low : 0);
    }
    if (!good)
        return REFUSE(loading, "the third word is no SHA-256 in 64 digits of 0 to 9 and a to f: write what "
                               "`printf %%s TOKEN | sha256sum` prints");
    return memcmp(digest, of_nothing, sizeof of_nothing) != 0 ||
           REFUSE(loading, "this is the SHA-256 of an empty token: hash the token itself");
}

static struct token *add(struct loading *loading)
{
    struct token_table *table = loading->table;
    if (table->count == loading->room) {
        size_t room = loading->room > 0 ? 2 * loading->room : 16;
        struct token *tokens = realloc(table->tokens, room * sizeof *tokens);
        if (tokens == NULL) {
            error_set(loading->error, ERROR_EXHAUSTED, "no memory for the tokens of %s", loading->path);
            return NULL;
        }
        table->tokens = tokens;
        loading->room = room;
    }
    struct token *token = &table->tokens[table->count++];
    *token = (struct token){.line = loading->line};
    return token;
}

static bool is_new(struct loading *loading, const struct token *token)
{
    for (const struct token *other = loading->table->tokens; other < token; other++) {
        if (strcmp(other->grant->identity, token->grant->identity) == 0)
            return REFUSE(loading,
                          "the name %s is that of line %u as well: names are what callers are told "
                          "apart by",
                          token->grant->identity, other->line);
        if (memcmp(other->digest, token->digest, sizeof token->digest) == 0)
            return REFUSE(loading, "%s has the token of %s in line %u: give each a token of its own",
                          token->grant->identity, other->grant->identity, other->line);
    }
    return true;
}

static bool read_line(struct loading *loading, char *line)
{
    char *words[WORDS_MOST + 1];
    unsigned count = words_cut(line, words, WORDS_MOST + 1);
    if (count == 0 || words[0][0] == '#')
        return true;
    if (count < WORDS_BEFORE_LIMITS)
        return REFUSE(loading, "a line is a name, a role, the SHA-256 of the token, then limits if any");
    if (count > WORDS_MOST)
        return REFUSE(loading, "more than %d limits", LIMITS_MOST);
    if (loading->table->count == TOKENS_MOST)
        return REFUSE(loading, "more than %d tokens", TOKENS_MOST);
    struct token *token = read_name(loading, words[0]) ? add(loading) : NULL;
    if (token == NULL || !read_digest(loading, words[2], token->digest))
        return false;
    words[2] = words[1]; // the role, where the limits follow it
    token->grant = grant_parse(words[0], words + 2, count - 2, loading->error);
    if (token->grant == NULL)
        return error_prefix(loading->error, "%s:%u", loading->path, loading->line);
    return is_new(loading, token);
}

static bool read_lines(struct loading *loading, const char *bytes, size_t length)
{
    char line[LINE_BYTES];
    for (size_t at = 0; at < length;) {
        const char *end = memchr(bytes + at, '\n', length - at);
        size_t count = (end != NULL ? (size_t)(end - bytes) : length) - at;
        loading->line++;
        if (count >= sizeof line)
            return REFUSE(loading, "the line has more than %d bytes", LINE_BYTES - 1);
        if (memchr(bytes + at, '\0', count) != NULL)
            return REFUSE(loading, "a byte of it is 0: a tokens file is text");
        memcpy(line, bytes + at, count);
        line[count] = '\0';
        if (!read_line(loading, line))
            return false;
        at += count + 1;
    }
    return true;
}

bool tokens_parse(const char *bytes, size_t length, const char *path, struct token_table *out,
                  struct error *error)
{
    struct loading loading = {.table = out, .path = path, .error = error};
    *out = (struct token_table){0};
    if (length > TOKENS_FILE_BYTES)
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s has more than %d bytes", path, TOKENS_FILE_BYTES);
    if (read_lines(&loading, bytes, length))
        return true;
    tokens_done(out);
    return false;
}

void tokens_done(struct token_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        grant_release(table->tokens[i].grant);
    free(table->tokens);
    *table = (struct token_table){0};
}

struct token *tokens_find(const struct token_table *table, const uint8_t digest[TOKEN_DIGEST_BYTES])
{
    size_t found = table->count;
    for (size_t i = 0; i < table->count; i++) {
        uint32_t difference = 0;
        for (unsigned byte = 0; byte < TOKEN_DIGEST_BYTES; byte++)
            difference |= (uint32_t)(table->tokens[i].digest[byte] ^ digest[byte]);
        size_t is_it = (size_t)0 - (size_t)((difference - 1) >> 31); // all bits or none
        found ^= (found ^ i) & is_it;
    }
    assert(found <= table->count);
    return found < table->count ? &table->tokens[found] : NULL;
}
