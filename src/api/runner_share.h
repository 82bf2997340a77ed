// How much of the runner one caller may have (runner.h), so that nobody keeps others out. A part of the runner.
#pragma once

#include <stdbool.h>

struct runner_call;
struct status;

// Whether the caller of `call` may have one more beside those that are open, a list by `next`; false with RESOURCE_EXHAUSTED.
bool runner_share_check(const struct runner_call *open, const struct runner_call *call,
                        struct status *status);
