#include "http/tickets.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/digest.h"
#include "base/time.h"

void tickets_done(struct tickets *tickets)
{
    for (unsigned i = 0; i < TICKETS; i++)
        caller_release(&tickets->ticket[i].caller);
}

bool tickets_make(struct tickets *tickets, const struct caller *caller, int64_t now_ns,
                  char text[TICKET_TEXT_BYTES])
{
    struct ticket *ticket = &tickets->ticket[tickets->next];
    char hex[DIGEST_HEX_MAX];
    caller_release(&ticket->caller);
    ticket->end_ns = 0;
    if (getrandom(ticket->bytes, sizeof ticket->bytes, 0) != (ssize_t)sizeof ticket->bytes)
        return false;
    ticket->end_ns = now_ns + TICKET_S * NS_PER_S;
    ticket->caller = caller_hold(caller);
    tickets->next = (tickets->next + 1) % TICKETS;
    snprintf(text, TICKET_TEXT_BYTES, "%s", digest_hex(ticket->bytes, sizeof ticket->bytes, hex));
    return true;
}

// No byte decides how long it takes.
static bool is_text_of(const struct ticket *ticket, const char *text)
{
    char hex[DIGEST_HEX_MAX];
    unsigned difference = 0;
    digest_hex(ticket->bytes, sizeof ticket->bytes, hex);
    for (unsigned i = 0; i < TICKET_TEXT_BYTES - 1; i++)
        difference |= (unsigned char)(hex[i] ^ text[i]);
    return difference == 0;
}

bool tickets_take(struct tickets *tickets, const char *text, int64_t now_ns, struct caller *caller)
{
    struct ticket *found = NULL;
    if (strlen(text) != TICKET_TEXT_BYTES - 1)
        return false;
    for (unsigned i = 0; i < TICKETS; i++)
        if (tickets->ticket[i].end_ns > now_ns && is_text_of(&tickets->ticket[i], text))
            found = &tickets->ticket[i];
    if (found == NULL)
        return false;
    *caller = found->caller;
    *found = (struct ticket){0};
    return true;
}
