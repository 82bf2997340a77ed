// When something that failed is tried again: after a quarter of a second, then twice as long each time, up to ten seconds,
// spread so that many do not come at once. Pure; zeroed it is due.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct retry {
    unsigned failures; // since it went well
    int64_t due_ns;
};

void retry_after_failure(struct retry *retry, int64_t now_ns);
void retry_reset(struct retry *retry); // it went well
bool retry_is_due(const struct retry *retry, int64_t now_ns);
