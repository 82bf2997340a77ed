#include "aggregate/answer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/namer.h"

static size_t texts_bytes(const struct flow_event *event)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < EVENT_TEXTS; i++)
        bytes += strnlen(flow_event_text(event, i), flow_text_longest(i)) + 1;
    return bytes;
}

static char *keep_texts(struct flow_event *event, char *into)
{
    for (unsigned i = 0; i < EVENT_TEXTS; i++) {
        const char *text = flow_event_text(event, i);
        size_t length = strnlen(text, flow_text_longest(i));
        memcpy(into, text, length);
        into[length] = '\0';
        event->text[i] = into;
        into += length + 1;
    }
    return into;
}

// Twice: to measure, and to keep.
void answer_place_rows(struct namer *namer, struct flow_page *page)
{
    assert(page->above == NULL);
    struct flow_event scratch;
    size_t bytes = page->count * sizeof scratch;
    for (unsigned i = 0; i < page->count; i++) {
        namer_name_record(namer, &page->rows[i].record, &scratch);
        bytes += texts_bytes(&scratch);
    }
    struct flow_event *events = malloc(bytes + 1);
    if (events == NULL)
        return;
    char *texts = (char *)(events + page->count);
    for (unsigned i = 0; i < page->count; i++) {
        namer_name_record(namer, &page->rows[i].record, &events[i]);
        events[i].sequence = 0;
        events[i].record.names = NULL;
        texts = keep_texts(&events[i], texts);
        flow_event_identify(&events[i]);
    }
    assert(texts == (char *)events + bytes);
    page->above = events;
    page->bytes += bytes;
}

const struct flow_event *answer_row(const struct flow_page *page, unsigned row)
{
    assert(row < page->count);
    const struct flow_event *events = page->above;
    return events != NULL ? &events[row] : NULL;
}
