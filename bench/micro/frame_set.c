#include "micro/frame_set.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "micro/rows.h"
#include "traffic/conversation.h"

static const int64_t set_start_ns = INT64_C(1700000000) * 1000000000;

static void add_frame(struct frame_set *set, size_t *used, size_t *capacity, const struct pcap_pkthdr *header,
                      const uint8_t *bytes)
{
    while (*used + header->caplen > *capacity) {
        *capacity = *capacity != 0 ? *capacity * 2 : 1 << 20;
        set->bytes = realloc(set->bytes, *capacity);
        if (set->bytes == NULL)
            micro_fail("no memory for the frames");
    }
    memcpy(set->bytes + *used, bytes, header->caplen);
    set->frames[set->count++] = (struct set_frame){
        .time_ns = (int64_t)header->ts.tv_sec * 1000000000 + (int64_t)header->ts.tv_usec * 1000,
        .offset = *used,
        .captured = header->caplen,
        .length = header->len,
    };
    *used += header->caplen;
}

void frame_set_load(struct frame_set *set, const char *path, size_t most)
{
    char reason[PCAP_ERRBUF_SIZE];
    pcap_t *file = pcap_open_offline(path, reason);
    if (file == NULL)
        micro_fail("%s", reason);
    if (pcap_datalink(file) != DLT_EN10MB)
        micro_fail("%s: not an Ethernet capture", path);
    *set = (struct frame_set){.frames = calloc(most, sizeof *set->frames)};
    if (set->frames == NULL)
        micro_fail("no memory for the frames");
    size_t used = 0, capacity = 0;
    struct pcap_pkthdr *header;
    const u_char *bytes;
    while (set->count < most && pcap_next_ex(file, &header, &bytes) == 1)
        add_frame(set, &used, &capacity, header, bytes);
    pcap_close(file);
    if (set->count == 0)
        micro_fail("%s: no packet in it", path);
}

void frame_set_make(struct frame_set *set, uint64_t flows, unsigned steps)
{
    *set = (struct frame_set){
        .frames = calloc(flows * steps, sizeof *set->frames),
        .bytes = malloc(flows * steps * CONVERSATION_FRAME_BYTES),
    };
    if (set->frames == NULL || set->bytes == NULL)
        micro_fail("no memory for the frames");
    for (unsigned step = 0; step < steps; step++)
        for (uint64_t place = 0; place < flows; place++) {
            struct set_frame *frame = &set->frames[set->count];
            frame->time_ns = set_start_ns + (int64_t)set->count * 1000;
            frame->offset = set->count++ * CONVERSATION_FRAME_BYTES;
            frame->length =
                conversation_frame(conversation_turn(flows, step, place), step, set->bytes + frame->offset);
            frame->captured = frame->length;
        }
}

void frame_set_done(struct frame_set *set)
{
    free(set->frames);
    free(set->bytes);
}
