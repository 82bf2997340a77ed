// Posts to one URL, http or https, one body at a time: all that is known of libcurl. One owner, one thread; a call
// blocks it until the server has answered, at most POST_TIMEOUT_MS, or until `gives_up` says so. Redirects are not
// followed, certificates are checked against the system's authorities.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { POST_TIMEOUT_MS = 10000, POST_NAME_BYTES = 256, POST_REASON_BYTES = 256 };

struct http_poster;

enum post_result {
    POST_DELIVERED,
    POST_AGAIN,   // nobody answered, or the server could not take it now
    POST_REFUSED, // it never will
};

struct http_poster_setup {
    const char *url; // borrowed for the call
    bool (*gives_up)(void *owner);
    void *owner;
};

// NULL with a sentence when the URL cannot be used, or without memory. Main thread (it prepares libcurl).
struct http_poster *http_poster_create(const struct http_poster_setup *setup, struct error *error);
void http_poster_destroy(struct http_poster *poster); // takes NULL

// JSON. Unless it was delivered, http_poster_reason() says why: a half sentence.
enum post_result http_poster_post(struct http_poster *poster, const char *body, size_t length);
const char *http_poster_reason(const struct http_poster *poster);
// Scheme, host and port: the rest of the URL may hold secrets.
const char *http_poster_name(const struct http_poster *poster);
