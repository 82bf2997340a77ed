#include "aggregate/flow_event.h"

#include <assert.h>
#include <string.h>

void flow_event_identify(struct flow_event *event)
{
    const struct flow_record *record = &event->record;
    if (event->community_id[0] != '\0')
        return;
    bool swapped = record->client == 1;
    community_id_of(&record->endpoint[swapped], &record->endpoint[!swapped], record->protocol,
                    event->community_id);
}

enum { TEXTS_AT_MOST = EVENT_TEXTS * (FLOW_TEXT_LONGEST + 1) + FLOW_OFFER_LONGEST };
_Static_assert(TEXTS_AT_MOST <= FLOW_BLOCK_TEXT_BYTES / 4, "a block holds several events of any texts");

uint64_t flow_events_bytes(uint64_t capacity, bool waited_for)
{
    if (waited_for)
        return (capacity < EVENTS_WAITED_FOR ? capacity : EVENTS_WAITED_FOR) *
               (uint64_t)(sizeof(struct flow_event) + TEXTS_AT_MOST);
    return event_log_most_blocks(capacity, FLOW_BLOCK_EVENTS) * sizeof(struct flow_block);
}

struct flow_event *flow_block_next(struct flow_block *block)
{
    const struct event_block *head = &block->head;
    assert(head->made <= FLOW_BLOCK_EVENTS && head->used <= FLOW_BLOCK_TEXT_BYTES);
    bool full = head->made == FLOW_BLOCK_EVENTS || head->used + TEXTS_AT_MOST > FLOW_BLOCK_TEXT_BYTES;
    return full ? NULL : &block->events[head->made];
}

static const char *keep_text(struct flow_block *block, const char *text, unsigned longest)
{
    char *copy = block->texts + block->head.used;
    size_t length = strnlen(text, longest);
    assert(block->head.used + length < FLOW_BLOCK_TEXT_BYTES);
    memcpy(copy, text, length);
    copy[length] = '\0';
    block->head.used += (uint32_t)length + 1;
    return copy;
}

// Node, interface and often names are those of the event before.
void flow_block_keep(struct flow_block *block)
{
    assert(block->head.made < FLOW_BLOCK_EVENTS);
    struct flow_event *event = &block->events[block->head.made];
    const struct flow_event *before = block->head.made > 0 ? event - 1 : NULL;
    event->sequence = block->head.first + block->head.made;
    event->record.names = NULL;
    for (unsigned i = 0; i < EVENT_TEXTS; i++) {
        const char *text = event->text[i];
        if (text == NULL || text[0] == '\0')
            event->text[i] = NULL;
        else if (before != NULL && before->text[i] != NULL && strcmp(before->text[i], text) == 0)
            event->text[i] = before->text[i];
        else
            event->text[i] = keep_text(block, text, flow_text_longest(i));
    }
    block->head.made++;
    assert(block->head.used <= FLOW_BLOCK_TEXT_BYTES);
}
