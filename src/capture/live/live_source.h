// The source that captures live: libpcap on one or many interfaces, polled by one thread. Frames are
// copied into chunks: measured, pointers kept past pcap_dispatch() hold other bytes. Lossy: with all
// chunks out, frames stay in the kernel's ring, which drops and counts when it is full.
// Interfaces that go down, disappear, come back or newly match a glob are followed while it runs, by a thread of
// its own (live_keeper.h): the one that polls never opens, closes or waits for anything else than packets.
#pragma once

#include "capture/source.h"
#include "config/settings.h"

// Opens what the settings name (no word = auto). The pool is borrowed and must outlive all frames. NULL with a sentence: ERROR_NOT_FOUND, ERROR_PERMISSION, ERROR_INVALID_ARGUMENT (filter).
struct source *live_source_create(const struct capture_settings *settings, struct chunk_pool *pool,
                                  struct error *error);

// Before the first poll: how far apart drops are asked for at most (a tick of the pipeline). Who stops an interface
// waits for that.
void live_source_set_tick(struct source *source, int64_t tick_ns);
