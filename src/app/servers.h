// The servers of a run: what listens, who may call, and what answers; nothing of it when none is on. Main thread, in this
// order: open (binds, so that what cannot be had is known at once, and while the process may still bind and read), start
// (threads), stop.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct control;
struct memory_shares;
struct settings;
struct servers;

// For --check-config: whether who may call, and which proxies are trusted, can be read. False with a sentence.
bool servers_check(const struct settings *settings, struct error *error);

// How many connections are served at a time, on all ports and sockets: as the settings have it, and no more than there is
// memory for.
uint32_t servers_connections(const struct settings *settings, const struct memory_shares *shares);

// Borrows both. NULL with a sentence. With no server on it is empty.
struct servers *servers_open(const struct settings *settings, struct control *control, struct error *error);
bool servers_start(struct servers *servers, struct error *error);
// Any thread, while it runs: certificates, tokens and passwords are looked at now, not in some seconds, and read again where their
// files have changed.
void servers_look_at_files(struct servers *servers);
// The run is over: health checks say so, and nobody is let in any more. Who is in is still answered: with the end of the
// outputs streams learn theirs.
void servers_announce_end(struct servers *servers);
// Streams end, calls under way are answered, everything is freed. Takes NULL.
void servers_stop(struct servers *servers);
