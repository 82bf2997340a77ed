// Nanoseconds since the Unix epoch as a google.protobuf.Timestamp. Pure; any thread.
#pragma once

#include <stdint.h>

struct Google__Protobuf__Timestamp;

void timestamp_fill(struct Google__Protobuf__Timestamp *into, int64_t time_ns);
