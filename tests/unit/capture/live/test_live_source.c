#include "capture/live/live_source.h"

#include "base/capabilities.h"
#include "fixtures.h"
#include "live/live_fixture.h"

// A source on one interface, and the chunks that its frames lie in.
struct opened {
    struct chunk_pool *pool;
    struct source *source; // NULL = it could not be made
    struct error error;
};

static struct opened open_on(const char *name, unsigned chunks)
{
    static char word[IF_NAMESIZE], filter[] = "udp and dst port 9";
    static char *words[] = {word};
    struct capture_settings settings = settings_of(words, 1, filter);
    struct opened opened = {.pool = chunk_pool_create(chunks, CHUNK_BYTES)};
    snprintf(word, sizeof word, "%s", name);
    opened.source = live_source_create(&settings, opened.pool, &opened.error);
    return opened;
}

// In a namespace of its own.
static struct opened open_loopback(unsigned chunks)
{
    enter_namespace();
    struct opened opened = open_on("lo", chunks);
    cr_assert_not_null(opened.source, "%s", opened.error.text);
    return opened;
}

static void shut(struct opened *opened)
{
    source_destroy(opened->source);
    cr_assert_eq(chunk_pool_out(opened->pool), 0);
    chunk_pool_destroy(opened->pool);
}

static unsigned poll_for(struct source *source, unsigned wanted, enum source_result *result)
{
    struct frame frames[64];
    unsigned total = 0;
    unsigned count;
    for (int polls = 0; polls < 2000 && total < wanted; polls++) {
        *result = source_poll(source, 5, frames, 64, &count);
        total += count;
        if (*result == SOURCE_END)
            break;
    }
    return total;
}

static unsigned poll_to_end(struct source *source)
{
    enum source_result result;
    unsigned total = poll_for(source, UINT32_MAX, &result);
    cr_assert_eq(result, SOURCE_END);
    return total;
}

static void expect_balanced(struct source *source, uint64_t delivered)
{
    struct source_drops drops = take_drops(source);
    cr_assert(drops.exact);
    cr_assert_eq(drops.delivered, delivered);
    cr_assert_eq(drops.received, drops.delivered + drops.kernel_dropped + drops.no_chunk + drops.unread);
}

Test(live_source, everything_is_delivered_and_the_stop_drains, .timeout = 30)
{
    struct opened opened = open_loopback(8);
    struct source *source = opened.source;
    cr_assert_str_eq(source_interface(source, 0)->name, "lo");
    cr_assert(source_interface(source, 0)->up);
    enum source_result result;
    send_datagrams(500, 9);
    cr_assert_eq(poll_for(source, 500, &result), 500);
    send_datagrams(300, 9);
    source_stop(source, true);
    cr_assert_eq(poll_to_end(source), 300, "what was in the ring at the stop");
    expect_balanced(source, 800);
    cr_assert_eq(source_verdict(source, &opened.error), ERROR_NONE);
    shut(&opened);
}

Test(live_source, a_stop_at_once_counts_what_is_unread, .timeout = 30)
{
    struct opened opened = open_loopback(8);
    struct source *source = opened.source;
    send_datagrams(200, 9);
    source_stop(source, false);
    cr_assert_eq(poll_to_end(source), 0);
    struct source_drops drops = take_drops(source);
    cr_assert_eq(drops.unread, 200);
    cr_assert_eq(drops.received, 200);
    cr_assert_eq(drops.delivered, 0);
    shut(&opened);
}

Test(live_source, an_interface_that_goes_down_and_up_goes_on, .timeout = 30)
{
    struct opened opened = open_loopback(8);
    struct source *source = opened.source;
    enum source_result result;
    cr_assert(set_link("lo", false));
    struct frame frames[64];
    unsigned count;
    for (int i = 0; i < 200 && source_interface(source, 0)->up; i++)
        cr_assert_eq(source_poll(source, 5, frames, 64, &count), SOURCE_IDLE);
    cr_assert_not(source_interface(source, 0)->up);
    cr_assert(set_link("lo", true));
    send_datagrams(100, 9);
    cr_assert_eq(poll_for(source, 100, &result), 100);
    for (int i = 0; i < 200 && !source_interface(source, 0)->up; i++) // the keeper says so
        usleep(5000);
    cr_assert(source_interface(source, 0)->up);
    source_stop(source, true);
    cr_assert_eq(poll_to_end(source), 0);
    expect_balanced(source, 100);
    shut(&opened);
}

Test(live_source, with_all_chunks_out_frames_wait_in_the_ring, .timeout = 30)
{
    struct opened opened = open_loopback(1);
    struct source *source = opened.source;
    struct chunk *taken = chunk_pool_take(opened.pool, 0);
    send_datagrams(50, 9);
    struct frame frames[64];
    unsigned count;
    for (int i = 0; i < 10; i++)
        cr_assert_eq(source_poll(source, 5, frames, 64, &count), SOURCE_IDLE);
    chunk_release(taken);
    enum source_result result;
    cr_assert_eq(poll_for(source, 50, &result), 50);
    source_stop(source, true);
    poll_to_end(source);
    expect_balanced(source, 50);
    shut(&opened);
}

Test(live_source, a_missing_interface_names_those_that_are_there, .timeout = 30)
{
    struct opened opened = open_on("no-such-if", 8);
    cr_assert_null(opened.source);
    cr_assert_eq(opened.error.kind, ERROR_NOT_FOUND);
    cr_assert_not_null(strstr(opened.error.text, "no interface no-such-if"), "%s", opened.error.text);
    cr_assert_not_null(strstr(opened.error.text, "lo"), "%s", opened.error.text);
    shut(&opened);
}

Test(live_source, without_privilege_it_says_what_to_do, .timeout = 30)
{
    capabilities_drop();
    struct opened opened = open_on("lo", 8);
    cr_assert_null(opened.source);
    cr_assert_eq(opened.error.kind, ERROR_PERMISSION, "%s", opened.error.text);
    cr_assert_not_null(strstr(opened.error.text, "cap_net_raw+ep"), "%s", opened.error.text);
    shut(&opened);
}
