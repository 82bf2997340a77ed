#include "pipeline/claims.h"

#include <assert.h>

#include "decode/decode.h"

static uint32_t possible_length(const struct frame *frame)
{
    static const struct decode_options outside = {.tunnels = false};
    assert(frame->captured <= FRAME_CAPTURED_MAX);
    struct packet packet = {.bytes = frame->bytes,
                            .captured = frame->captured,
                            .length = FRAME_CAPTURED_MAX,
                            .link_type = frame->link_type};
    decode_packet(&packet, &outside);
    uint32_t end = packet.payload_offset + packet.payload_length;
    if (packet.source.version == 0)
        return FRAME_CAPTURED_MAX;
    return end > frame->captured ? end : frame->captured;
}

struct frame claims_possible_length(struct totals *totals, const struct frame *frame)
{
    struct frame mended = *frame;
    mended.length = possible_length(frame);
    totals->impossible_lengths++;
    return mended;
}
