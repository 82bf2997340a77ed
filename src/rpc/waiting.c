#include "rpc/waiting.h"

#include <assert.h>
#include <stddef.h>

struct waiting_call *waiting_add(struct waiting_calls *calls, struct waiting_call *call)
{
    assert(!call->waits);
    *call = (struct waiting_call){.previous = calls->last, .waits = true};
    if (calls->last != NULL)
        calls->last->next = call;
    else
        calls->first = call;
    calls->last = call;
    if (++calls->count <= WAITING_CALLS)
        return NULL;
    struct waiting_call *oldest = calls->first;
    waiting_remove(calls, oldest);
    return oldest;
}

void waiting_remove(struct waiting_calls *calls, struct waiting_call *call)
{
    if (!call->waits)
        return;
    assert(calls->count > 0);
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        calls->first = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
    else
        calls->last = call->previous;
    calls->count--;
    call->waits = false;
}
