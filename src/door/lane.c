#include "door/lane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool open_lane(struct lane *lane)
{
    assert(lane_is_empty(lane));
    lane->start = lane->end = 0;
    if (lane->bytes == NULL)
        lane->bytes = malloc(LANE_BYTES);
    return lane->bytes != NULL;
}

void lane_clear(struct lane *lane)
{
    free(lane->bytes);
    lane->bytes = NULL;
    lane->start = lane->end = 0;
}

ssize_t lane_fill(struct lane *lane, const struct wire *source)
{
    if (lane->ended)
        return WIRE_LATER;
    if (!open_lane(lane))
        return WIRE_BROKEN;
    ssize_t got = wire_read(source, lane->bytes, LANE_BYTES);
    if (got > 0)
        lane->end = (size_t)got;
    else
        lane_clear(lane);
    lane->ended = got == WIRE_ENDED;
    return got;
}

ssize_t lane_drain(struct lane *lane, const struct wire *target)
{
    if (!lane_is_empty(lane)) {
        ssize_t put = wire_write(target, lane->bytes + lane->start, lane->end - lane->start);
        if (put > 0)
            lane->start += (size_t)put;
        if (lane_is_empty(lane))
            lane_clear(lane);
        return put;
    }
    if (!lane->ended || lane->passed_on)
        return WIRE_LATER;
    ssize_t told = wire_end(target);
    lane->passed_on = told == WIRE_ENDED;
    return told;
}

bool lane_put_last(struct lane *lane, const uint8_t *bytes, size_t length)
{
    assert(length <= LANE_BYTES);
    lane->ended = true;
    if (!open_lane(lane))
        return false;
    memcpy(lane->bytes, bytes, length);
    lane->end = length;
    return true;
}
