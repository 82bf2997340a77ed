// The numbers of interfaces of a live capture. Flows remember them for as long as they live, so a number rests for an
// hour after its interface is gone for good, and those that never were used, then those that rest longest, are taken
// first; a flow that remembers one for longer is told under the new name. When none can be had, an interface goes
// under the number of its word. Each word has a number that stays; a plain name's is that of its interface. Words
// beyond the bound share the last one: their interfaces have numbers, and are told as of the word "(other)".
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/live/interface_list.h"

enum { LIVE_WORDS_MAX = 128 }; // different ones over a run, with the one that others share

struct live_numbers {
    struct interface_list rows;
    int64_t rest_ns;
    unsigned words;
};

void live_numbers_init(struct live_numbers *numbers);
void live_numbers_done(struct live_numbers *numbers);

// The number of an interface by name, configured, link type and snaplen; its `word` is set, and `configured` where that
// is shared. False with a sentence: no memory for the first one.
bool live_numbers_take(struct live_numbers *numbers, struct source_interface *interface, int64_t now_ns,
                       uint16_t *number, struct error *error);
void live_numbers_leave(struct live_numbers *numbers, uint16_t number, int64_t now_ns);
