// The rows of a page as all readers above flow/ have records: named, placed and identified, by the code that makes events
// of records that leave. Made by the aggregate before the page is given out, one block a page, freed with it.
#pragma once

#include "aggregate/flow_event.h"
#include "flow/page.h"

struct namer;

// Makes them; without memory the page stays without. The aggregate's thread.
void answer_place_rows(struct namer *namer, struct flow_page *page);

// By the place of the row: event->record is the row's record, its names are texts of the event, its sequence is 0. NULL
// when there was no memory. Valid as long as the page is held; any thread.
const struct flow_event *answer_row(const struct flow_page *page, unsigned row);
