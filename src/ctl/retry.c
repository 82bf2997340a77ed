#include "ctl/retry.h"

#include <stdlib.h>

#include "base/time.h"

static const int64_t least_ns = 250 * NS_PER_MS, most_ns = 10 * NS_PER_S;

void retry_after_failure(struct retry *retry, int64_t now_ns)
{
    int64_t pause_ns = least_ns;
    for (unsigned i = 0; i < retry->failures && pause_ns < most_ns; i++)
        pause_ns *= 2;
    pause_ns = pause_ns < most_ns ? pause_ns : most_ns;
    // Between three and five quarters of it.
    pause_ns += (random() % 1000 - 500) * (pause_ns / 2000);
    retry->failures++;
    retry->due_ns = now_ns + pause_ns;
}

void retry_reset(struct retry *retry)
{
    retry->failures = 0;
}

bool retry_is_due(const struct retry *retry, int64_t now_ns)
{
    return now_ns >= retry->due_ns;
}
