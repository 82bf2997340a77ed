#include "api/runner_share.h"

#include <assert.h>
#include <string.h>

#include "api/runner.h"
#include "api/stream.h"

// What of the runner one caller has.
struct share {
    unsigned calls, streams;
};

static struct share share_of(const struct runner_call *open, const struct caller *caller)
{
    struct share share = {0};
    for (const struct runner_call *call = open; call != NULL; call = call->next) {
        bool is_his = strcmp(call->caller->identity, caller->identity) == 0;
        share.calls += is_his;
        share.streams += is_his && call->method->open != NULL;
    }
    assert(share.streams <= share.calls);
    return share;
}

bool runner_share_check(const struct runner_call *open, const struct runner_call *call, struct status *status)
{
    struct share share = share_of(open, call->caller);
    bool streams = call->method->open != NULL;
    unsigned most = !streams                    ? RUNNER_WAITING / 2
                    : call->method->for_anybody ? RUNNER_STREAMS_OF_ANYBODY
                                                : STREAMS_MOST / 2;
    if (streams && share.streams >= most)
        return status_set(status, STATUS_RESOURCE_EXHAUSTED, "STREAM_LIMIT",
                          "%.100s has %u streams open, which is as many as one caller may: end some",
                          call->caller->identity, most);
    if (!streams && share.calls - share.streams >= most)
        return status_set(status, STATUS_RESOURCE_EXHAUSTED, "TOO_MANY_CALLS",
                          "%.100s has %u calls open, which is as many as one caller may: end some",
                          call->caller->identity, most);
    return true;
}
