// Many copies of many captures as one trace: each copy of each capture has addresses of its own and starts
// somewhere in the span; frames come out in the order of time. Memory: 24 bytes a copy of a capture.
#pragma once

#include "mix/capture_list.h"
#include "mix/trace.h"

// A capture longer than a quarter of the span is compressed to that, with all its gaps.
void weave(const struct capture_list *list, uint32_t copies, uint64_t span_us, uint32_t syn_every,
           struct trace *trace);
