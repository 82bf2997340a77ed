#include "capture/live/live_drain.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include "base/time.h"
#include "capture/clock.h"
#include "capture/live/live_filter.h"
#include "capture/live/live_open.h"
#include "live/live_fixture.h"

// A handle whose ring takes in what another thread sends all the time.
struct busy {
    struct live_handle *handle;
    struct live_frames frames;
    struct chunk_pool *pool;
    pthread_t sender;
    atomic_bool stopping;
};

static void *send_always(void *argument)
{
    const struct busy *busy = argument;
    while (!atomic_load(&busy->stopping)) {
        send_datagrams(20, 9);
        usleep(500);
    }
    return NULL;
}

static void begin(struct busy *busy)
{
    static char lo[] = "lo", no_filter[] = "";
    static char *words[] = {lo};
    struct capture_settings settings = settings_of(words, 1, no_filter);
    struct live_order order = {.device = "lo",
                               .settings = &settings,
                               .kernel_index = if_nametoindex("lo"),
                               .ring_bytes = 4 << 20,
                               .loopback = true};
    enum live_open_result result;
    struct error error;
    bool settling;
    *busy = (struct busy){.pool = chunk_pool_create(8, CHUNK_BYTES)};
    live_frames_init(&busy->frames, busy->pool);
    busy->handle = live_open(&order, &settling, &result, &error);
    cr_assert_not_null(busy->handle, "%s", error.text);
    while (!live_open_settle(busy->handle, false))
        usleep(1000);
    cr_assert(live_open_finish(busy->handle, "", &error), "%s", error.text);
    cr_assert_eq(pthread_create(&busy->sender, NULL, send_always, busy), 0);
    usleep(50000);
}

// Whether the drain ends within two seconds; what it hands over is let go.
static bool drain(struct busy *busy, enum live_wish how)
{
    struct frame frames[64];
    int64_t until_ns = clock_now_ns() + 2 * NS_PER_S;
    bool left = false;
    live_drain_begin(busy->handle, how, clock_now_ns());
    while (!left && clock_now_ns() < until_ns) {
        usleep(15000); // there is more each time
        live_frames_begin(&busy->frames, frames, 64);
        left = live_frames_make_room(&busy->frames, 4096, 10) && live_drain_read(busy->handle, &busy->frames);
    }
    return left;
}

static void end(struct busy *busy)
{
    atomic_store(&busy->stopping, true);
    pthread_join(busy->sender, NULL);
    live_frames_done(&busy->frames);
    live_close(busy->handle);
    chunk_pool_destroy(busy->pool);
}

Test(live_drain, ends_though_the_ring_could_not_be_sealed, .timeout = 30)
{
    static const enum live_wish ways[] = {LIVE_LEAVE_UNREAD, LIVE_LEAVE_DRAIN, LIVE_LEAVE_GONE, LIVE_ABANDON};
    enter_namespace();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct busy busy;
        begin(&busy);
        cr_expect(drain(&busy, ways[i]), "way %zu", i);
        end(&busy);
    }
}

Test(live_drain, of_a_sealed_ring_hands_over_all_and_is_exact, .timeout = 30)
{
    enter_namespace();
    struct busy busy;
    struct error error;
    begin(&busy);
    live_handle_seal(busy.handle);
    cr_assert(atomic_load(&busy.handle->sealed));
    struct bpf_program *program = live_filter_compile(busy.handle, "udp", &error);
    cr_expect_not(live_filter_attach(busy.handle, program), "a late filter opens nothing");
    live_filter_free(program);
    cr_assert(drain(&busy, LIVE_LEAVE_DRAIN));
    const struct source_drops *counted = &busy.handle->counted;
    live_handle_count(busy.handle);
    cr_expect_gt(counted->delivered, 0);
    cr_expect_eq(counted->received,
                 counted->delivered + counted->kernel_dropped + counted->no_chunk + counted->unread);
    end(&busy);
}
