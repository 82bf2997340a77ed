#include "http/assets.h"

#include <string.h>

#include "http/accept.h"
#include "http/exchange.h"
#include "http/server_inside.h"

static const char absent[] =
    "This NetScope was built without its page: Node.js was not there, or the page was not built.\n"
    "\n"
    "    scripts/build-web    # needs Node.js 18 or newer and npm\n"
    "    cmake --build build\n"
    "\n"
    "The API (docs/api.md), netscopectl and /metrics are whole.\n";

// Nothing inline, nothing from elsewhere, nobody may frame it.
static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri "
    "'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

static const struct asset *find(const char *path)
{
    for (unsigned i = 0; i < asset_count; i++)
        if (strcmp(assets[i].path, path) == 0)
            return &assets[i];
    return NULL;
}

static enum asset_coding coding_of(const struct exchange *exchange, const struct asset *asset)
{
    const char *header = NULL;
    request_header(exchange, "Accept-Encoding", &header);
    if (asset->form[ASSET_BROTLI].bytes != NULL && accept_coding(header, "br"))
        return ASSET_BROTLI;
    return asset->form[ASSET_GZIP].bytes != NULL && accept_coding(header, "gzip") ? ASSET_GZIP : ASSET_PLAIN;
}

static bool has_it(const struct exchange *exchange, const char *tag)
{
    const char *tags = NULL;
    return request_header(exchange, "If-None-Match", &tags) == 1 &&
           (strcmp(tags, "*") == 0 || strstr(tags, tag) != NULL);
}

static void answer_asset(struct exchange *exchange, const struct asset *asset, bool is_page)
{
    static const char *const codings[] = {[ASSET_GZIP] = "gzip", [ASSET_BROTLI] = "br"};
    struct answer *answer = &exchange->answer;
    enum asset_coding coding = coding_of(exchange, asset);
    answer->type = asset->type;
    answer->cache = is_page ? "no-cache" : "public, max-age=31536000, immutable";
    answer->policy = page_policy;
    answer_header(answer, "ETag", asset->form[coding].tag);
    answer_header(answer, "Vary", "Accept-Encoding");
    // 304 tells the length that 200 has; its body is not sent.
    answer->code = has_it(exchange, asset->form[coding].tag) ? 304 : 200;
    answer->fixed = asset->form[coding].bytes;
    answer->fixed_bytes = asset->form[coding].length;
    if (coding != ASSET_PLAIN && answer->code == 200)
        answer_header(answer, "Content-Encoding", codings[coding]);
}

// A browser asks for a password when the page itself is refused. A bearer token is the page's business.
static bool may_see(struct exchange *exchange)
{
    return !exchange->server->listener->auth.enabled || request_identify(exchange);
}

bool assets_answer(struct exchange *exchange)
{
    bool is_page = strcmp(exchange->path, "/") == 0 || strcmp(exchange->path, "/index.html") == 0;
    const struct asset *asset = find(is_page ? "/index.html" : exchange->path);
    struct answer *answer = &exchange->answer;
    if (asset == NULL && !is_page)
        return false;
    if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0) {
        answer_header(answer, "Allow", "GET, HEAD");
        answer_refuse(answer, 405, STATUS_UNIMPLEMENTED, "METHOD_NOT_ALLOWED",
                      "it can be read only: use GET");
    } else if (exchange->is_base) {
        // What the page names is relative to it.
        answer_text(answer, 308, "");
        answer_header(answer, "Location", exchange->server->base_with_slash);
    } else if (may_see(exchange)) {
        if (asset != NULL)
            answer_asset(exchange, asset, is_page);
        else
            answer_text(answer, 200, absent);
    }
    return true;
}
