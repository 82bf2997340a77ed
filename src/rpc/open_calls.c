#include "rpc/open_calls.h"

#include <assert.h>

void open_calls_init(struct open_calls *calls, uint64_t most_unread_bytes,
                     void (*give_up)(struct open_call *call))
{
    *calls = (struct open_calls){
        .most_idle = IDLE_CALLS, .most_unread_bytes = most_unread_bytes, .give_up = give_up};
    pthread_mutex_init(&calls->lock, NULL);
}

void open_calls_done(struct open_calls *calls)
{
    assert(calls->oldest == NULL && calls->idle == 0 && calls->unread_bytes == 0);
    pthread_mutex_destroy(&calls->lock);
}

// No more of what it has is counted.
static void forget(struct open_calls *calls, struct open_call *call)
{
    assert(calls->idle > 0 && calls->unread_bytes >= call->unread_bytes);
    calls->idle--;
    calls->unread_bytes -= call->unread_bytes;
    call->unread_bytes = 0;
}

static bool gives_way(const struct open_calls *calls, const struct open_call *call)
{
    bool too_many = calls->idle > calls->most_idle;
    bool too_much = calls->unread_bytes > calls->most_unread_bytes && call->unread_bytes > 0;
    return !call->worked_on && !call->given_up && (too_many || too_much);
}

static void make_room(struct open_calls *calls)
{
    bool pressed = calls->idle > calls->most_idle || calls->unread_bytes > calls->most_unread_bytes;
    for (struct open_call *call = pressed ? calls->oldest : NULL; call != NULL; call = call->newer) {
        if (!gives_way(calls, call))
            continue;
        forget(calls, call);
        call->given_up = true;
        calls->given_up++;
        calls->give_up(call);
    }
}

void open_calls_add(struct open_calls *calls, struct open_call *call)
{
    *call = (struct open_call){0};
    pthread_mutex_lock(&calls->lock);
    call->older = calls->newest;
    *(calls->newest != NULL ? &calls->newest->newer : &calls->oldest) = call;
    calls->newest = call;
    calls->idle++;
    make_room(calls);
    pthread_mutex_unlock(&calls->lock);
}

void open_calls_remove(struct open_calls *calls, struct open_call *call)
{
    pthread_mutex_lock(&calls->lock);
    assert(!call->worked_on);
    if (!call->given_up)
        forget(calls, call);
    *(call->older != NULL ? &call->older->newer : &calls->oldest) = call->newer;
    *(call->newer != NULL ? &call->newer->older : &calls->newest) = call->older;
    pthread_mutex_unlock(&calls->lock);
}

void open_calls_work(struct open_calls *calls, struct open_call *call)
{
    pthread_mutex_lock(&calls->lock);
    assert(!call->worked_on);
    if (!call->given_up)
        forget(calls, call);
    call->worked_on = true;
    pthread_mutex_unlock(&calls->lock);
}

void open_calls_let_go(struct open_calls *calls, struct open_call *call, size_t unread_bytes)
{
    pthread_mutex_lock(&calls->lock);
    assert(call->worked_on && call->unread_bytes == 0);
    call->worked_on = false;
    if (!call->given_up) {
        calls->idle++;
        call->unread_bytes = unread_bytes;
        calls->unread_bytes += unread_bytes;
    }
    make_room(calls);
    pthread_mutex_unlock(&calls->lock);
}

uint64_t open_calls_given_up(struct open_calls *calls)
{
    pthread_mutex_lock(&calls->lock);
    uint64_t count = calls->given_up;
    pthread_mutex_unlock(&calls->lock);
    return count;
}
