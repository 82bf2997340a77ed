// A certificate for a listener whose settings give none: P-256, signed by itself, for this host's name, localhost and the address that
// is listened on. It is made at the start, and again before it ends; key and certificate are kept in memory only. Nobody trusts
// it by itself, so the log tells its fingerprint, for whoever wants to compare it with what his browser shows.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

// Browsers take none that is good for longer.
enum { OWN_CERTIFICATE_DAYS = 397, OWN_CERTIFICATE_LEAST_DAYS = 30 };

struct ssl_ctx_st; // OpenSSL's SSL_CTX

// Makes one for the listener of this name and puts it into the context. False with a sentence.
bool own_certificate_make(struct ssl_ctx_st *context, const char *listener, const char *bind,
                          struct error *error);
// Whether it is time for another. Pure.
bool own_certificate_is_due(int64_t expiry_s, int64_t now_s);
