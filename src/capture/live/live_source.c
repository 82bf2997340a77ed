#include "capture/live/live_source.h"

#include <assert.h>
#include <stdlib.h>

#include "capture/live/live_handles.h"
#include "capture/live/live_keeper.h"

enum { CHUNK_READY_BYTES = 16 * 1024 };

enum live_state { LIVE_RUNNING, LIVE_DRAINING, LIVE_ENDED };
enum stop_wish { STOP_NOT, STOP_DRAIN, STOP_AT_ONCE };

struct live_source {
    struct source source;
    struct live_keeper keeper;
    struct live_handles handles; // those that the source has
    enum live_state state;
    atomic_int stop; // enum stop_wish
    enum error_kind verdict;
    struct error error;
};

static struct live_source *live_of(struct source *source)
{
    return (struct live_source *)source;
}

static const struct live_source *const_live_of(const struct source *source)
{
    return (const struct live_source *)source;
}

static void end(struct live_source *source, enum live_end why)
{
    source->state = LIVE_ENDED;
    if (why != LIVE_END_GONE)
        return;
    source->verdict = ERROR_NOT_FOUND;
    error_set(&source->error, ERROR_NOT_FOUND,
              "no interface is left to capture on: the last one was removed (with capture.on_missing: wait "
              "it is waited for)");
}

// --- Polling ---

// The keeper has something, or wants something of handles.
static void hear_keeper(struct live_source *source)
{
    live_exchange_heard(source->keeper.exchange.source_fd);
    if (source->state == LIVE_RUNNING) // what comes later is closed unread, and in no ledger
        live_handles_hear(&source->handles);
}

static void begin_draining(struct live_source *source)
{
    enum live_wish how = atomic_load(&source->stop) == STOP_DRAIN ? LIVE_LEAVE_DRAIN : LIVE_LEAVE_UNREAD;
    atomic_store(&source->keeper.exchange.end, LIVE_END_STOPPED); // it answers that nothing can be asked
    source->state = LIVE_DRAINING;
    live_handles_leave(&source->handles, how);
}

static enum source_result poll_handles(struct live_source *source, int timeout_ms)
{
    if (live_handles_watch(&source->handles, timeout_ms))
        hear_keeper(source);
    live_handles_read(&source->handles);
    if (source->handles.frames.count > 0)
        return SOURCE_FRAMES;
    int why = atomic_load(&source->keeper.exchange.end);
    if (source->state == LIVE_RUNNING && why != LIVE_GOES_ON && source->handles.count == 0)
        end(source, (enum live_end)why);
    else if (source->state == LIVE_DRAINING && source->handles.leaving == 0)
        end(source, LIVE_END_STOPPED);
    return source->state == LIVE_ENDED ? SOURCE_END : SOURCE_IDLE;
}

static enum source_result live_poll(struct source *base, int timeout_ms, struct frame *frames,
                                    unsigned capacity, unsigned *count)
{
    struct live_source *source = live_of(base);
    struct live_frames *into = &source->handles.frames;
    assert(capacity > 0);
    live_frames_begin(into, frames, capacity);
    *count = 0;
    if (source->state == LIVE_RUNNING && atomic_load(&source->stop) != STOP_NOT)
        begin_draining(source);
    if (source->state == LIVE_ENDED)
        return SOURCE_END;
    if (source->state == LIVE_RUNNING)
        live_handles_give_back(&source->handles);
    if (!live_frames_make_room(into, CHUNK_READY_BYTES, timeout_ms))
        return SOURCE_IDLE;
    enum source_result result = poll_handles(source, timeout_ms);
    *count = into->count;
    return result;
}

// --- The row ---

static unsigned live_interfaces(const struct source *source)
{
    return interface_list_count(&const_live_of(source)->keeper.set.numbers.rows);
}

static const struct source_interface *live_interface(const struct source *source, unsigned index)
{
    return &interface_list_row(&const_live_of(source)->keeper.set.numbers.rows, index)->shown;
}

static bool live_drops(struct source *base, bool first, struct source_drops *out)
{
    struct live_source *source = live_of(base);
    return live_handles_tell(&source->handles, first, source->state == LIVE_RUNNING, out);
}

static void live_stop(struct source *base, bool drain)
{
    struct live_source *source = live_of(base);
    atomic_store(&source->stop, drain ? STOP_DRAIN : STOP_AT_ONCE);
    live_exchange_wake(source->keeper.exchange.source_fd);
}

static enum error_kind live_verdict(const struct source *base, struct error *error)
{
    const struct live_source *source = const_live_of(base);
    if (source->verdict != ERROR_NONE)
        *error = source->error;
    return source->verdict;
}

static void live_destroy(struct source *base)
{
    struct live_source *source = live_of(base);
    live_frames_done(&source->handles.frames);
    live_keeper_end(&source->keeper);
    live_handles_done(&source->handles);
    free(source);
}

// --- While it runs ---

static bool live_start(struct source *base, const char *word, struct error *error)
{
    struct live_wanted wanted = {.kind = LIVE_START, .word = word};
    return live_keeper_ask(&live_of(base)->keeper, &wanted, NULL, error);
}

static bool live_stop_one(struct source *base, const char *word, bool drain, struct source_drops *verdict,
                          struct error *error)
{
    struct live_wanted wanted = {.kind = LIVE_STOP, .word = word, .drain = drain};
    return live_keeper_ask(&live_of(base)->keeper, &wanted, verdict, error);
}

static bool live_reconfigure(struct source *base, const struct capture_settings *settings,
                             struct error *error)
{
    struct live_wanted wanted = {.kind = LIVE_SETTINGS, .settings = settings};
    return live_keeper_ask(&live_of(base)->keeper, &wanted, NULL, error);
}

static void live_keep_open(struct source *base, bool on)
{
    struct live_source *source = live_of(base);
    atomic_store(&source->keeper.keep_open, on);
    live_exchange_wake(source->keeper.exchange.keeper_fd);
}

static bool live_link_name(const struct source *base, uint32_t link, char name[SOURCE_LINK_NAME_BYTES])
{
    return link_names_get(const_live_of(base)->keeper.set.names, link, name);
}

static const struct source_control live_control = {
    .start = live_start,
    .stop = live_stop_one,
    .reconfigure = live_reconfigure,
    .link_name = live_link_name,
};

static const struct source_ops live_ops = {
    .name = "live",
    .lossless = false,
    .poll = live_poll,
    .interfaces = live_interfaces,
    .interface = live_interface,
    .drops = live_drops,
    .stop = live_stop,
    .keep_open = live_keep_open,
    .verdict = live_verdict,
    .destroy = live_destroy,
    .control = &live_control,
};

struct source *live_source_create(const struct capture_settings *settings, struct chunk_pool *pool,
                                  struct error *error)
{
    struct live_source *source = calloc(1, sizeof *source);
    if (source == NULL) {
        error_set(error, ERROR_EXHAUSTED, "the live capture finds no memory");
        return NULL;
    }
    source->source.ops = &live_ops;
    live_handles_init(&source->handles, &source->keeper.exchange, pool);
    bool opened = live_keeper_begin(&source->keeper, settings, error);
    if (opened && !live_handles_listen(&source->handles))
        opened = error_set(error, ERROR_EXHAUSTED, "the live capture finds no descriptors: raise ulimit -n");
    if (opened)
        return &source->source;
    live_destroy(&source->source);
    return NULL;
}

void live_source_set_tick(struct source *source, int64_t tick_ns)
{
    assert(source->ops == &live_ops && tick_ns >= 0);
    live_keeper_set_tick(&live_of(source)->keeper, tick_ns);
}
