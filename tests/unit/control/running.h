// A run over a capture that comes through a named pipe, so that it goes on while the test changes its settings.
#pragma once

#include <pthread.h>
#include <sys/stat.h>

#include "aggregate/snapshot.h"
#include "base/strbuf.h"
#include "config/table.h"
#include "config/value.h"
#include "control/change.h"
#include "control/control.h"
#include "control/generation.h"
#include "given.h"

struct running {
    char fifo[64];
    int pipe;
    struct outcome outcome; // the settings of the start
    struct control *control;
    pthread_t thread;
    bool good;
    struct error error; // of the run
};

static inline void *run_control(void *argument)
{
    struct running *running = argument;
    running->good = control_run(running->control, &running->error);
    return NULL;
}

// Opens the pipe for the sensor's end to be opened, and writes the header of an empty capture.
static inline void *write_header(void *argument)
{
    static const unsigned char header[] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0,
                                           0,    0,    0,    0,    0, 0, 4, 0, 1, 0, 0, 0};
    struct running *running = argument;
    running->pipe = open(running->fifo, O_WRONLY);
    cr_assert_eq(write(running->pipe, header, sizeof header), (ssize_t)sizeof header);
    return NULL;
}

// One packet a second of packet time: a tick comes to its end with each.
static inline void send_packet(struct running *running, uint32_t second)
{
    unsigned char record[16 + 60] = {0};
    uint32_t lengths[4] = {second, 0, 60, 60};
    memcpy(record, lengths, sizeof lengths);
    cr_assert_eq(write(running->pipe, record, sizeof record), (ssize_t)sizeof record);
}

static inline void begin_run(struct running *running, const char *yaml)
{
    pthread_t writer;
    *running = (struct running){0};
    strcpy(running->fifo, "/tmp/netscope-fifo-XXXXXX");
    close(mkstemp(running->fifo));
    unlink(running->fifo);
    cr_assert_eq(mkfifo(running->fifo, 0600), 0);
    running->outcome = accepted(load(yaml, NULL, WORDS("-r", running->fifo)));
    running->outcome.settings.file = NULL; // it is gone
    pthread_create(&writer, NULL, write_header, running);
    running->control = control_create(&running->outcome.settings, &running->error);
    cr_assert_not_null(running->control, "%s", running->error.text);
    pthread_join(writer, NULL);
}

// Until the first tick has come: from then on there is something to change.
static inline void start_run(struct running *running)
{
    const struct snapshot *snapshot = NULL;
    pthread_create(&running->thread, NULL, run_control, running);
    for (uint32_t second = 1; snapshot == NULL; second++) {
        send_packet(running, second);
        usleep(10000);
        snapshot = control_snapshot(running->control);
    }
    snapshot_release(snapshot);
}

// The run ends; what it was is there until done_run().
static inline void end_input(struct running *running)
{
    close(running->pipe);
    pthread_join(running->thread, NULL);
    cr_expect(running->good, "%s", running->error.text);
}

static inline void done_run(struct running *running)
{
    struct error error;
    cr_expect(control_finish(running->control, &error));
    control_destroy(running->control);
    outcome_done(&running->outcome);
    unlink(running->fifo);
}

static inline void end_run(struct running *running)
{
    end_input(running);
    done_run(running);
}

// The settings of the start with some of them changed: pairs of key and value, then NULL.
static inline void want(struct running *running, struct settings *wanted, const char *const *pairs)
{
    struct error error;
    cr_assert(settings_copy(wanted, &running->outcome.settings, &error));
    for (; *pairs != NULL; pairs += 2) {
        const struct setting *setting = &setting_table[setting_find(pairs[0])];
        value_clear(wanted, setting);
        cr_assert(value_set(wanted, setting, pairs[1], &error), "%s", error.text);
    }
}

#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline bool apply(struct running *running, enum change_origin origin, bool dry_run,
                         const char *const *pairs, struct change_verdicts *verdicts, struct error *error)
{
    struct settings wanted;
    want(running, &wanted, pairs);
    struct change change = {.wanted = &wanted, .origin = origin, .dry_run = dry_run};
    bool good = control_apply(running->control, &change, verdicts, error);
    settings_done(&wanted);
    return good;
}
