// Memory of a message that is being built: blocks that live as long as it, and its texts. Owned by its maker, one thread.
// Without memory a text becomes empty, a list gets no rows, a part is NULL, and `failed` is set: a builder goes on and
// looks once at the end.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "net/address.h"

struct build_block;
struct flow_event;
struct alert_event;
struct report_ledger;
struct Google__Protobuf__Duration;
struct Google__Protobuf__Timestamp;
struct Netscope__V1__Flow;
struct Netscope__V1__Alert;
struct Netscope__V1__Report__Ledger;

struct build {
    struct build_block *blocks;
    struct strbuf scratch;
    bool failed;
};

void build_init(struct build *build);
void build_done(struct build *build); // what was built is gone

// Copies that live as long as the build; raw texts are escaped (api/text.h). NULL is "".
char *build_text(struct build *build, const char *wire);
// A text of our own (a setting) as it is, so that it can be given back; escaped only where it is no UTF-8.
char *build_copy(struct build *build, const char *text);
char *build_address(struct build *build, const struct address *address);
// A text that lives longer than the build, as it is: protobuf-c's strings are not const, but nobody writes to a message.
static inline char *build_borrowed(const char *text)
{
    return (char *)(uintptr_t)text;
}
// A list of `count` zeroed rows, whose address goes to the T ** that `list` points to. Returns how many.
size_t build_rows(struct build *build, void *list, size_t count, size_t row_bytes);
// A zeroed part of `bytes`; NULL without memory.
void *build_part(struct build *build, size_t bytes);
// A part that is `take_thing`'s place: it goes by `destroy` when the build does. NULL without memory, when it is gone already.
void *build_own(struct build *build, void *take_thing, void (*destroy)(void *thing));

// Parts of messages, each the only place that maps its values. NULL without memory.
struct Google__Protobuf__Timestamp *build_time(struct build *build, int64_t time_ns);
struct Google__Protobuf__Duration *build_duration(struct build *build, int64_t span_ns); // 0 or more
struct Netscope__V1__Report__Ledger *build_ledger(struct build *build, const struct report_ledger *from);
// A flow borrows of the event and of its texts, which have to live as long; an alert is of a copy. `basic`: no more than
// FLOW_VIEW_BASIC tells.
struct Netscope__V1__Flow *build_flow(struct build *build, const struct flow_event *event, bool basic);
struct Netscope__V1__Alert *build_alert(struct build *build, const struct alert_event *event);
