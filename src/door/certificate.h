// What a listener needs for TLS: its certificate with the chain, the key, and the CA of clients, out of the files that
// the settings name. They are looked at from time to time and read again when one has changed (another file behind the
// name, as the kubelet does it by links, another size or time); connections that are there keep what they began with.
// What cannot be used is logged once and counted, and leaves the old in use. Without a certificate in the settings there is
// one of its own (door/own_certificate.h). The door's thread; figures: any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/settings.h"

struct certificate;
struct ssl_ctx_st; // OpenSSL's SSL_CTX

struct certificate_setup {
    const char *name; // of the listener; borrowed, as the settings
    const struct listener_settings *settings;
    bool http2; // else HTTP/1.1: what clients that name protocols (ALPN) must name
};

// NULL with a sentence that names the file and the reason.
struct certificate *certificate_create(const struct certificate_setup *setup, struct error *error);
void certificate_destroy(struct certificate *certificate); // takes NULL

// Reads the files again if they have changed.
void certificate_look(struct certificate *certificate);

// For new connections; borrowed for the call.
struct ssl_ctx_st *certificate_in_use(const struct certificate *certificate);

int64_t certificate_expiry_s(const struct certificate *certificate);  // Unix time
uint64_t certificate_failures(const struct certificate *certificate); // changed files that could not be used
