#include "api/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/grant.h"
#include "api/secret_file.h"
#include "api/tokens.h"
#include "base/base64.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "config/settings.h"

enum { KEY_BYTES = 64 };

static bool make_table(const struct auth_settings *auth, const char *password, size_t length,
                       struct token_table *out, struct error *error)
{
    struct strbuf shown;
    struct token *token = calloc(1, sizeof *token);
    strbuf_init(&shown, PASSWORD_SHOWN_BYTES);
    strbuf_addf(&shown, "%s:", auth->username);
    strbuf_add_bytes(&shown, password, length);
    bool good = token != NULL && !shown.failed &&
                digest_bytes(DIGEST_SHA256, shown.text, shown.length, token->digest);
    if (good)
        token->grant = grant_create(auth->username, (enum role)auth->role, NULL);
    explicit_bzero(shown.text, shown.length);
    strbuf_done(&shown);
    if (good && token->grant != NULL) {
        *out = (struct token_table){token, 1};
        return true;
    }
    free(token);
    return error_set(error, ERROR_EXHAUSTED, "no memory for a user");
}

static bool load_file(const struct auth_settings *auth, const char *section, struct token_table *out,
                      struct error *error)
{
    char key[KEY_BYTES], *bytes;
    size_t length;
    snprintf(key, sizeof key, "%s.auth.password_file", section);
    if (!secret_file_read(auth->password_file, key, PASSWORD_BYTES, &bytes, &length, error))
        return false;
    size_t line = 0;
    while (line < length && bytes[line] != '\n' && bytes[line] != '\r' && bytes[line] != '\0')
        line++;
    bool good = line > 0 && length <= PASSWORD_BYTES && (line == length || bytes[line] != '\0');
    if (good)
        good = make_table(auth, bytes, line, out, error);
    else
        error_set(error, ERROR_INVALID_ARGUMENT,
                  "%s has no password: its first line is one, of 1 to %d bytes without a 0",
                  auth->password_file, PASSWORD_BYTES);
    secret_file_done(bytes, length);
    return good;
}

bool password_load(const struct auth_settings *auth, const char *section, struct token_table *out,
                   struct error *error)
{
    *out = (struct token_table){0};
    if (auth->password_file[0] != '\0')
        return load_file(auth, section, out, error);
    return make_table(auth, auth->password, strlen(auth->password), out, error);
}

bool password_decode(const char *encoded, char into[PASSWORD_SHOWN_BYTES], size_t *length)
{
    encoded += strspn(encoded, " ");
    return base64_decode(encoded, strlen(encoded), into, PASSWORD_SHOWN_BYTES, length);
}
