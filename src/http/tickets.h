// Tickets: a browser cannot put credentials on a WebSocket, so its page fetches one by an authenticated POST and shows it there,
// once and soon. Never in a URL, where logs keep it. One owner, one thread; time is given.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/caller.h"

// Hex of 128 bits of chance. Beyond TICKETS the oldest is forgotten; beyond TICKETS_EACH of a caller's, his own oldest.
enum { TICKET_BYTES = 16, TICKET_TEXT_BYTES = 33, TICKETS = 1024, TICKETS_EACH = 256, TICKET_S = 30 };

struct ticket {
    char text[TICKET_TEXT_BYTES];
    int64_t end_ns; // 0 = none
    struct caller caller;
};
struct tickets {
    struct ticket ticket[TICKETS];
};

void tickets_done(struct tickets *tickets); // zeros are a beginning

// Takes a hold of the caller. False when the kernel gives no random numbers.
bool tickets_make(struct tickets *tickets, const struct caller *caller, int64_t now_ns,
                  char text[TICKET_TEXT_BYTES]);
// Whose it is, to be released; it is good no more. False when it is none.
bool tickets_take(struct tickets *tickets, const char *text, int64_t now_ns, struct caller *caller);
