#include "export/http_poster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

enum { CONNECT_TIMEOUT_MS = 5000, STATUS_TIMEOUT = 408, STATUS_TOO_MANY = 429 };

struct http_poster {
    CURL *curl;
    struct curl_slist *headers;
    bool (*gives_up)(void *owner);
    void *owner;
    char name[POST_NAME_BYTES];
    char reason[POST_REASON_BYTES];
    char problem[CURL_ERROR_SIZE]; // libcurl's words
};

static bool add_part(CURLU *url, CURLUPart part, const char *before, char name[POST_NAME_BYTES])
{
    char *text = NULL;
    size_t used = strlen(name);
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
        return false;
    snprintf(name + used, POST_NAME_BYTES - used, "%s%s", before, text);
    curl_free(text);
    return true;
}

static bool read_name(const char *text, char name[POST_NAME_BYTES], struct error *error)
{
    CURLU *url = curl_url();
    CURLUcode code = url != NULL ? curl_url_set(url, CURLUPART_URL, text, 0) : CURLUE_OUT_OF_MEMORY;
    bool good = code == CURLUE_OK && add_part(url, CURLUPART_SCHEME, "", name) &&
                add_part(url, CURLUPART_HOST, "://", name);
    if (good)
        add_part(url, CURLUPART_PORT, ":", name);
    curl_url_cleanup(url);
    return good || error_set(error, ERROR_INVALID_ARGUMENT, "output.alerts_webhook is no URL: %s",
                             code != CURLUE_OK ? curl_url_strerror(code) : "it names no host");
}

// What a server says in the body is not read.
static size_t discard(char *bytes, size_t one, size_t count, void *owner)
{
    (void)bytes;
    (void)owner;
    return one * count;
}

// Called about once a second at least; anything but 0 ends the transfer.
static int look_up(void *owner, curl_off_t total_down, curl_off_t down, curl_off_t total_up, curl_off_t up)
{
    const struct http_poster *poster = owner;
    (void)total_down;
    (void)down;
    (void)total_up;
    (void)up;
    return poster->gives_up(poster->owner) ? 1 : 0;
}

static bool set_up(struct http_poster *poster, const char *url)
{
    CURL *curl = poster->curl;
    struct curl_slist *type = curl_slist_append(NULL, "Content-Type: application/json");
    poster->headers = type != NULL ? curl_slist_append(type, "Expect:") : NULL;
    if (poster->headers == NULL) {
        curl_slist_free_all(type);
        return false;
    }
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, poster->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "netscope") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)POST_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, poster->problem) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, poster) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up) == CURLE_OK;
}

struct http_poster *http_poster_create(const struct http_poster_setup *setup, struct error *error)
{
    struct http_poster *poster = calloc(1, sizeof *poster);
    if (poster == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(poster);
        error_set(error, ERROR_EXHAUSTED, "no memory for output.alerts_webhook");
        return NULL;
    }
    poster->gives_up = setup->gives_up;
    poster->owner = setup->owner;
    if (read_name(setup->url, poster->name, error)) {
        poster->curl = curl_easy_init();
        if (poster->curl != NULL && set_up(poster, setup->url))
            return poster;
        error_set(error, ERROR_EXHAUSTED, "no memory for output.alerts_webhook");
    }
    http_poster_destroy(poster);
    return NULL;
}

void http_poster_destroy(struct http_poster *poster)
{
    if (poster == NULL)
        return;
    curl_easy_cleanup(poster->curl);
    curl_slist_free_all(poster->headers);
    curl_global_cleanup();
    free(poster);
}

static enum post_result judge_status(struct http_poster *poster)
{
    long status = 0;
    curl_easy_getinfo(poster->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return POST_DELIVERED;
    snprintf(poster->reason, sizeof poster->reason, "the server answers with HTTP status %ld", status);
    bool later = status >= 500 || status == STATUS_TIMEOUT || status == STATUS_TOO_MANY;
    return later ? POST_AGAIN : POST_REFUSED;
}

enum post_result http_poster_post(struct http_poster *poster, const char *body, size_t length)
{
    CURL *curl = poster->curl;
    assert(length > 0 && body[0] == '[');
    poster->problem[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        return judge_status(poster);
    const char *words = poster->problem[0] != '\0' ? poster->problem : curl_easy_strerror(code);
    snprintf(poster->reason, sizeof poster->reason, "%.*s", POST_REASON_BYTES - 1,
             code == CURLE_ABORTED_BY_CALLBACK ? "there is no more time to wait for the server" : words);
    return POST_AGAIN;
}

const char *http_poster_reason(const struct http_poster *poster)
{
    return poster->reason;
}

const char *http_poster_name(const struct http_poster *poster)
{
    return poster->name;
}
