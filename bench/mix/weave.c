#include "mix/weave.h"

#include <stdlib.h>
#include <string.h>

#include "mix/rewrite.h"
#include "traffic/conversation.h"

enum { LONGEST_PART = 4 }; // of the span

// One copy of a capture, on its way through its frames.
struct strand {
    uint64_t at_us; // of the frame that comes next
    uint32_t capture, copy;
    size_t next;
};

struct loom {
    const struct capture_list *list;
    uint64_t span_us;
    uint32_t syn_every;     // packets; 0 = none
    struct strand *strands; // a heap, the earliest first
    size_t count;
    uint8_t *frame;
    struct trace *trace;
    uint64_t woven, syns; // frames of the captures, and SYNs between them
};

static uint64_t strand_bits(const struct strand *strand)
{
    return traffic_scatter((uint64_t)strand->copy << 32 | (strand->capture + 1));
}

static uint64_t frame_time_us(const struct loom *loom, const struct strand *strand)
{
    const struct capture *capture = &loom->list->items[strand->capture];
    uint64_t length_us = capture->frames[capture->count - 1].at_us;
    uint64_t longest_us = loom->span_us / LONGEST_PART;
    double at_us = (double)capture->frames[strand->next].at_us;
    if (length_us > longest_us)
        at_us *= (double)longest_us / (double)length_us;
    return strand_bits(strand) % loom->span_us + (uint64_t)at_us;
}

static int earlier(const struct strand *left, const struct strand *right)
{
    if (left->at_us != right->at_us)
        return left->at_us < right->at_us;
    if (left->copy != right->copy)
        return left->copy < right->copy;
    return left->capture < right->capture;
}

static void sift_down(struct loom *loom, size_t at)
{
    struct strand moved = loom->strands[at];
    for (size_t child; (child = 2 * at + 1) < loom->count; at = child) {
        if (child + 1 < loom->count && earlier(&loom->strands[child + 1], &loom->strands[child]))
            child++;
        if (!earlier(&loom->strands[child], &moved))
            break;
        loom->strands[at] = loom->strands[child];
    }
    loom->strands[at] = moved;
}

static void start_strands(struct loom *loom, uint32_t copies)
{
    loom->strands = malloc((size_t)copies * loom->list->count * sizeof *loom->strands);
    if (loom->strands == NULL)
        mix_fail("no memory for %u copies of %u captures", copies, loom->list->count);
    for (uint32_t copy = 0; copy < copies; copy++)
        for (uint32_t capture = 0; capture < loom->list->count; capture++) {
            struct strand *strand = &loom->strands[loom->count++];
            *strand = (struct strand){.capture = capture, .copy = copy};
            strand->at_us = frame_time_us(loom, strand);
        }
    for (size_t at = loom->count / 2; at-- > 0;)
        sift_down(loom, at);
}

static void write_syn(struct loom *loom, uint64_t at_us)
{
    uint8_t frame[CONVERSATION_FRAME_BYTES];
    uint32_t length = flood_frame(loom->syns++, frame);
    trace_write(loom->trace, at_us, frame, length, length);
}

// Writes the frame of the first strand. The first copy keeps its addresses.
static void write_next(struct loom *loom)
{
    struct strand *strand = &loom->strands[0];
    const struct capture *capture = &loom->list->items[strand->capture];
    const struct capture_frame *frame = &capture->frames[strand->next];
    uint32_t mask = strand->copy != 0 ? (uint32_t)(strand_bits(strand) >> 40) : 0;
    memcpy(loom->frame, capture->bytes + frame->offset, frame->captured);
    rewrite_addresses(loom->frame, frame->captured, mask);
    trace_write(loom->trace, strand->at_us, loom->frame, frame->captured, frame->length);
    if (loom->syn_every != 0 && ++loom->woven % loom->syn_every == 0)
        write_syn(loom, strand->at_us);
    if (++strand->next < capture->count)
        strand->at_us = frame_time_us(loom, strand);
    else
        *strand = loom->strands[--loom->count];
    if (loom->count > 0)
        sift_down(loom, 0);
}

static uint32_t longest_frame(const struct capture_list *list)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < list->items[i].count; k++)
            if (list->items[i].frames[k].captured > longest)
                longest = list->items[i].frames[k].captured;
    return longest;
}

void weave(const struct capture_list *list, uint32_t copies, uint64_t span_us, uint32_t syn_every,
           struct trace *trace)
{
    struct loom loom = {.list = list, .span_us = span_us, .syn_every = syn_every, .trace = trace};
    loom.frame = malloc((size_t)longest_frame(list) + 1);
    if (loom.frame == NULL)
        mix_fail("no memory for a frame");
    start_strands(&loom, copies);
    while (loom.count > 0)
        write_next(&loom);
    free(loom.strands);
    free(loom.frame);
}
