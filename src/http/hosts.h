// Whom a request is for: the headers Host and Origin, against a page from elsewhere whose name points here (DNS rebinding), or
// that sends what its visitor's browser has the password of. Pure.
#pragma once

#include <stdbool.h>

#include "net/address.h"

struct string_list;

// Whether the Host is `localhost`, the address that the connection came to (version 0 = by no address), or one of the names,
// with or without a port; an origin among these stands for its name.
bool host_is_ours(const char *host, const struct address *here, const struct string_list *names);

// Whether the Origin is the page that this Host serves, port and all: by TLS (`secure`) or without, or by TLS that a proxy in
// front has ended, where the name is one of the names; or one of the names as a whole origin, "https://sensor.example:8443".
bool origin_is_ours(const char *origin, const char *host, bool secure, const struct string_list *names);
