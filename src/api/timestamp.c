#include "api/timestamp.h"

#include <google/protobuf/timestamp.pb-c.h>

#include "base/time.h"

void timestamp_fill(struct Google__Protobuf__Timestamp *into, int64_t time_ns)
{
    google__protobuf__timestamp__init(into);
    int64_t nanos = time_ns % NS_PER_S;
    into->seconds = time_ns / NS_PER_S - (nanos < 0 ? 1 : 0);
    into->nanos = (int32_t)(nanos < 0 ? nanos + NS_PER_S : nanos);
}
