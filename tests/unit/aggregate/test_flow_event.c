#include "aggregate/flow_event.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "../api/sample_flow.h"
#include "events.h"

static struct flow_block *open_block(struct event_log *log)
{
    return (struct flow_block *)(void *)event_log_open(log);
}

Test(flow_event, a_block_owns_its_texts_and_shares_equal_ones)
{
    struct event_log *log = make_flow_log(1000);
    struct flow_block *block = open_block(log);
    char node[] = "node-1", name[] = "server";
    for (unsigned i = 0; i < 2; i++) {
        struct flow_event *event = flow_block_next(block);
        sample_flow_full(event);
        event->text[EVENT_TEXT_NODE] = node;
        event->text[EVENT_TEXT_NAME] = i == 0 ? name : "";
        flow_block_keep(block);
    }
    memset(node, 'x', sizeof node - 1);
    memset(name, 'x', sizeof name - 1);
    const struct flow_event *first = &block->events[0], *second = &block->events[1];
    cr_expect(eq(str, (char *)first->text[EVENT_TEXT_NODE], "node-1"));
    cr_expect(eq(str, (char *)first->text[EVENT_TEXT_NAME], "server"));
    cr_expect(eq(ptr, (void *)first->text[EVENT_TEXT_NODE], (void *)second->text[EVENT_TEXT_NODE]));
    cr_expect(eq(str, (char *)flow_event_text(second, EVENT_TEXT_NAME), ""));
    cr_expect(eq(u64, first->sequence, 1));
    cr_expect(eq(u64, second->sequence, 2));
    event_log_publish(log, true);
    event_log_destroy(log);
}

Test(flow_event, long_texts_are_cut_and_fill_a_block_early)
{
    struct event_log *log = make_flow_log(1000);
    struct flow_block *block = open_block(log);
    char texts[EVENT_TEXTS][400];
    unsigned count = 0;
    for (struct flow_event *event; (event = flow_block_next(block)) != NULL; count++) {
        sample_flow_full(event);
        for (unsigned i = 0; i < EVENT_TEXTS; i++) {
            memset(texts[i], 'a' + (int)(count % 20), sizeof texts[i]);
            texts[i][sizeof texts[i] - 1] = '\0';
            event->text[i] = texts[i];
        }
        flow_block_keep(block);
        cr_assert(eq(sz, strlen(block->events[count].text[EVENT_TEXT_OBSERVED]), 255));
    }
    cr_expect(count >= 4 && count < FLOW_BLOCK_EVENTS, "%u events", count);
    event_log_publish(log, true);
    event_log_destroy(log);
}

Test(flow_event, community_id_is_made_once)
{
    struct flow_event event;
    sample_flow_empty(&event);
    flow_event_identify(&event);
    cr_expect(strncmp(event.community_id, "1:", 2) == 0);
    strcpy(event.community_id, "1:mine");
    flow_event_identify(&event);
    cr_expect(eq(str, event.community_id, "1:mine"));
}
