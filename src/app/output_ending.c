#include "app/output_ending.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/thread.h"

struct output_ending {
    struct file_output file;
    pthread_t thread;
    bool started;
    bool complete; // and this, before done
    struct error failure;
    atomic_bool done;
};

static void *finish(void *argument)
{
    struct output_ending *ending = argument;
    ending->complete = file_output_finish(&ending->file, &ending->failure);
    atomic_store(&ending->done, true);
    return NULL;
}

struct output_ending *output_ending_begin(struct file_output *take_file)
{
    struct output_ending *ending = calloc(1, sizeof *ending);
    struct error failure;
    if (ending == NULL) {
        if (!file_output_finish(take_file, &failure))
            log_error("output", "%s", failure.text);
        file_output_destroy(take_file);
        return NULL;
    }
    ending->file = *take_file;
    *take_file = (struct file_output){0};
    ending->started = thread_start(&ending->thread, finish, ending);
    if (!ending->started)
        finish(ending);
    return ending;
}

bool output_ending_await(const struct output_ending *ending, unsigned most_ms)
{
    enum { LOOK_EVERY_MS = 5 };
    for (unsigned waited_ms = 0; !atomic_load(&ending->done) && waited_ms < most_ms;
         waited_ms += LOOK_EVERY_MS)
        poll(NULL, 0, LOOK_EVERY_MS);
    return atomic_load(&ending->done);
}

const char *output_ending_path(const struct output_ending *ending)
{
    return ending->file.path;
}

bool output_ending_end(struct output_ending *ending, struct error *error)
{
    if (ending->started)
        pthread_join(ending->thread, NULL);
    bool complete = ending->complete;
    if (!complete)
        *error = ending->failure;
    file_output_destroy(&ending->file);
    free(ending);
    return complete;
}
