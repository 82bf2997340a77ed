#include "app/output_ending.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/thread.h"

static void *finish(void *argument)
{
    struct output_ending *ending = argument;
    ending->complete = file_output_finish(&ending->file, &ending->failure);
    atomic_store(&ending->done, true);
    return NULL;
}

void output_ending_begin(struct output_ending *ending, struct file_output *take_file)
{
    assert(!output_ending_is_there(ending) && take_file->path != NULL);
    *ending = (struct output_ending){.file = *take_file};
    *take_file = (struct file_output){0};
    ending->started = thread_start(&ending->thread, finish, ending);
    if (!ending->started)
        finish(ending);
}

bool output_ending_is_there(const struct output_ending *ending)
{
    return ending->file.path != NULL;
}

bool output_ending_await(const struct output_ending *ending, unsigned most_ms)
{
    enum { LOOK_EVERY_MS = 5 };
    for (unsigned waited_ms = 0; !atomic_load(&ending->done) && waited_ms < most_ms;
         waited_ms += LOOK_EVERY_MS)
        poll(NULL, 0, LOOK_EVERY_MS);
    return atomic_load(&ending->done);
}

bool output_ending_end(struct output_ending *ending, struct error *error)
{
    if (ending->started)
        pthread_join(ending->thread, NULL);
    bool complete = ending->complete;
    if (!complete)
        *error = ending->failure;
    file_output_destroy(&ending->file);
    assert(!output_ending_is_there(ending));
    return complete;
}
