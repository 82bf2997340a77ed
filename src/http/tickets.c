#include "http/tickets.h"

#include <string.h>
#include <sys/random.h>

#include "base/digest.h"
#include "base/time.h"

void tickets_done(struct tickets *tickets)
{
    for (unsigned i = 0; i < TICKETS; i++)
        caller_release(&tickets->ticket[i].caller);
}

static bool is_of(const struct ticket *ticket, const struct caller *caller)
{
    return strcmp(ticket->caller.identity, caller->identity) == 0;
}

// One that is good no more, else the oldest: of this caller's when he has his share, else of all.
static struct ticket *find_place(struct tickets *tickets, const struct caller *caller, int64_t now_ns)
{
    struct ticket *oldest = &tickets->ticket[0], *own = NULL;
    unsigned count = 0;
    for (unsigned i = 0; i < TICKETS; i++) {
        struct ticket *ticket = &tickets->ticket[i];
        oldest = ticket->end_ns < oldest->end_ns ? ticket : oldest;
        if (ticket->end_ns <= now_ns || !is_of(ticket, caller))
            continue;
        own = own == NULL || ticket->end_ns < own->end_ns ? ticket : own;
        count++;
    }
    return count >= TICKETS_EACH ? own : oldest;
}

bool tickets_make(struct tickets *tickets, const struct caller *caller, int64_t now_ns,
                  char text[TICKET_TEXT_BYTES])
{
    struct ticket *ticket = find_place(tickets, caller, now_ns);
    char hex[DIGEST_HEX_MAX];
    uint8_t bytes[TICKET_BYTES];
    caller_release(&ticket->caller);
    ticket->end_ns = 0;
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    ticket->end_ns = now_ns + TICKET_S * NS_PER_S;
    ticket->caller = caller_hold(caller);
    memcpy(text, digest_hex(bytes, sizeof bytes, hex), TICKET_TEXT_BYTES);
    memcpy(ticket->text, text, TICKET_TEXT_BYTES);
    return true;
}

// No byte decides how long it takes.
static bool is_same(const char *one, const char *other)
{
    unsigned difference = 0;
    for (unsigned i = 0; i < TICKET_TEXT_BYTES; i++)
        difference |= (unsigned char)(one[i] ^ other[i]);
    return difference == 0;
}

bool tickets_take(struct tickets *tickets, const char *text, int64_t now_ns, struct caller *caller)
{
    struct ticket *found = NULL;
    if (strlen(text) != TICKET_TEXT_BYTES - 1)
        return false;
    for (unsigned i = 0; i < TICKETS; i++)
        if (tickets->ticket[i].end_ns > now_ns && is_same(tickets->ticket[i].text, text))
            found = &tickets->ticket[i];
    if (found == NULL)
        return false;
    *caller = found->caller;
    *found = (struct ticket){0};
    return true;
}
