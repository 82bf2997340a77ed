#include "app/terminal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/nowait.h"
#include "base/thread.h"
#include "base/time.h"
#include "capture/clock.h"

enum { LOOK_AGAIN_MS = 100, END_MS = 2000, WAITING_BYTES = TERMINAL_QUEUE_BYTES / 4 * 3 };

static const int64_t late_patience_ns = NS_PER_S / 2; // with a reader, once waiting is given up
static const int64_t stuck_after_ns = NS_PER_S;       // in one write, once waiting is given up

// Tellers fill one half while the thread writes the other.
struct half {
    char *bytes; // TERMINAL_QUEUE_BYTES
    size_t used;
};

struct terminal {
    struct terminal_setup setup;
    int descriptor; // our own, that never waits
    bool is_file;   // takes any amount at a time
    bool is_tty;    // may hang up
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed; // something was handed over, or written, or the end has come
    struct half filling;    // under the lock
    struct half writing;    // the thread's; `used` under the lock
    int64_t begun_ns;       // under the lock: when the thread took what it writes
    int64_t late_since_ns;  // under the lock: when waiting was found given up; 0 = it was not
    int64_t late_ns;        // the thread's: how long it has waited for the reader since then
    bool told;              // whoever flushes: that some was not read
    bool ending, ended;     // under the lock: the thread has to, and will not look at it again
    atomic_bool abandoned;  // who destroys it waits no longer
    atomic_int failure;
    _Atomic uint64_t dropped;
};

static bool is_given_up(const struct terminal *terminal)
{
    return atomic_load(&terminal->abandoned) || terminal->setup.gives_up();
}

// Waits a moment for the other side; the lock is held.
static void wait_a_moment(struct terminal *terminal)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_AGAIN_MS * (long)NS_PER_MS;
    until.tv_sec += until.tv_nsec / (long)NS_PER_S;
    until.tv_nsec %= (long)NS_PER_S;
    pthread_cond_timedwait(&terminal->changed, &terminal->lock, &until);
}

// How much to write at a time. A pipe that is ready takes PIPE_BUF bytes without blocking; a line stays whole
// where lines of others come in between.
static size_t portion(const struct terminal *terminal, const char *bytes, size_t left)
{
    if (terminal->is_file || left <= PIPE_BUF)
        return left;
    const char *newline = memrchr(bytes, '\n', PIPE_BUF);
    return newline != NULL ? (size_t)(newline - bytes) + 1 : PIPE_BUF;
}

// Whether the other side can be written to. Once waiting is given up it has a moment left, altogether: what came late
// has to be written too when somebody reads.
static bool await_reader(struct terminal *terminal)
{
    struct pollfd ready = {.fd = terminal->descriptor, .events = POLLOUT};
    for (int timeout_ms = 0; poll(&ready, 1, timeout_ms) <= 0; timeout_ms = LOOK_AGAIN_MS) {
        terminal->late_ns += is_given_up(terminal) ? timeout_ms * NS_PER_MS : 0;
        if (atomic_load(&terminal->abandoned) || terminal->late_ns > late_patience_ns)
            return false;
    }
    return true;
}

// Returns how much was written before it failed or was given up.
static size_t write_bytes(struct terminal *terminal, const char *bytes, size_t length)
{
    size_t done = 0;
    while (done < length && await_reader(terminal)) {
        ssize_t written =
            nowait_write(terminal->descriptor, bytes + done, portion(terminal, bytes + done, length - done));
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR && errno != EAGAIN) {
            bool hung_up = errno == EIO && terminal->is_tty; // its reader has gone, as that of a pipe
            atomic_store(&terminal->failure, hung_up ? EPIPE : errno);
            break;
        }
    }
    assert(done <= length);
    return done;
}

static void swap_halves(struct terminal *terminal)
{
    struct half filled = terminal->filling;
    assert(terminal->writing.used == 0 && filled.used > 0);
    terminal->filling = terminal->writing;
    terminal->writing = filled;
    terminal->begun_ns = clock_now_ns();
}

static void *write_halves(void *argument)
{
    struct terminal *terminal = argument;
    pthread_mutex_lock(&terminal->lock);
    for (;;) {
        if (terminal->writing.used == 0 && terminal->filling.used > 0)
            swap_halves(terminal);
        if (terminal->writing.used == 0 && terminal->ending)
            break;
        if (terminal->writing.used == 0) {
            pthread_cond_wait(&terminal->changed, &terminal->lock);
            continue;
        }
        pthread_mutex_unlock(&terminal->lock);
        size_t done = write_bytes(terminal, terminal->writing.bytes, terminal->writing.used);
        pthread_mutex_lock(&terminal->lock);
        if (done < terminal->writing.used && atomic_load(&terminal->failure) == 0)
            break; // given up: what is left stays, to be told of
        terminal->writing.used = 0;
        pthread_cond_broadcast(&terminal->changed);
    }
    terminal->ended = true;
    pthread_cond_broadcast(&terminal->changed);
    pthread_mutex_unlock(&terminal->lock);
    return NULL;
}

static bool start(struct terminal *terminal)
{
    struct stat status;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&terminal->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&terminal->lock, NULL);
    terminal->is_file = fstat(terminal->setup.descriptor, &status) == 0 && S_ISREG(status.st_mode);
    terminal->descriptor = nowait_open(terminal->setup.descriptor);
    terminal->is_tty = isatty(terminal->setup.descriptor);
    terminal->filling.bytes = malloc(TERMINAL_QUEUE_BYTES);
    terminal->writing.bytes = malloc(TERMINAL_QUEUE_BYTES);
    terminal->started = terminal->filling.bytes != NULL && terminal->writing.bytes != NULL &&
                        thread_start(&terminal->thread, write_halves, terminal);
    if (terminal->started)
        pthread_setname_np(terminal->thread, "terminal");
    return terminal->started;
}

struct terminal *terminal_create(const struct terminal_setup *setup, struct error *error)
{
    struct terminal *terminal = calloc(1, sizeof *terminal);
    if (terminal != NULL) {
        terminal->setup = *setup;
        if (start(terminal))
            return terminal;
        terminal_destroy(terminal);
    }
    error_set(error, ERROR_EXHAUSTED, "%s cannot be written: no memory or no thread", setup->name);
    return NULL;
}

static bool takes_nothing(const struct terminal *terminal)
{
    return atomic_load(&terminal->failure) != 0;
}

// Whether the thread writes no more: it gave up, or sits in a write for good. The lock is held.
static bool is_over(struct terminal *terminal)
{
    if (terminal->ended || !is_given_up(terminal))
        return terminal->ended;
    int64_t now_ns = clock_now_ns();
    if (terminal->late_since_ns == 0)
        terminal->late_since_ns = now_ns;
    bool begun_late = terminal->begun_ns > terminal->late_since_ns;
    return now_ns - (begun_late ? terminal->begun_ns : terminal->late_since_ns) > stuck_after_ns;
}

// Under the lock: appends as much as fits below `most`.
static size_t append(struct terminal *terminal, const char *text, size_t length, size_t most)
{
    struct half *half = &terminal->filling;
    size_t room = half->used < most ? most - half->used : 0;
    size_t taken = length < room ? length : room;
    if (taken == 0)
        return 0;
    memcpy(half->bytes + half->used, text, taken);
    half->used += taken;
    assert(half->used <= TERMINAL_QUEUE_BYTES);
    pthread_cond_broadcast(&terminal->changed);
    return taken;
}

bool terminal_offer(struct terminal *terminal, const char *text, size_t length)
{
    pthread_mutex_lock(&terminal->lock);
    bool gone = takes_nothing(terminal); // nobody misses it
    bool fits = length <= TERMINAL_QUEUE_BYTES - terminal->filling.used;
    if (fits && !gone)
        append(terminal, text, length, TERMINAL_QUEUE_BYTES);
    else if (!gone)
        atomic_fetch_add(&terminal->dropped, 1);
    pthread_mutex_unlock(&terminal->lock);
    return fits && !gone;
}

bool terminal_add(struct terminal *terminal, const char *text, size_t length)
{
    pthread_mutex_lock(&terminal->lock);
    bool whole = length <= WAITING_BYTES;
    while (length > 0 && !takes_nothing(terminal)) {
        size_t room = terminal->filling.used < WAITING_BYTES ? WAITING_BYTES - terminal->filling.used : 0;
        size_t taken = whole && length > room ? 0 : append(terminal, text, length, WAITING_BYTES);
        text += taken;
        length -= taken;
        if (taken == 0 && is_over(terminal))
            break;
        if (taken == 0)
            wait_a_moment(terminal);
    }
    pthread_mutex_unlock(&terminal->lock);
    return length == 0;
}

static bool tell_failure(struct terminal *terminal, size_t left, struct error *error)
{
    int failure = atomic_load(&terminal->failure);
    if (failure == EPIPE)
        return true;
    if (failure != 0)
        return error_set(error, ERROR_UNAVAILABLE, "cannot write %s: %s", terminal->setup.name,
                         strerror(failure));
    if (left == 0)
        return true;
    terminal->told = true;
    return error_set(error, ERROR_DEADLINE_EXCEEDED,
                     "%s was not read in time: its last %zu bytes are left out", terminal->setup.name, left);
}

bool terminal_flush(struct terminal *terminal, struct error *error)
{
    size_t left;
    pthread_mutex_lock(&terminal->lock);
    while ((left = terminal->filling.used + terminal->writing.used) > 0 && !takes_nothing(terminal) &&
           !is_over(terminal))
        wait_a_moment(terminal);
    pthread_mutex_unlock(&terminal->lock);
    return tell_failure(terminal, left, error);
}

// A thread that sits in a write for good keeps what it uses until the process ends.
static bool end_thread(struct terminal *terminal)
{
    pthread_mutex_lock(&terminal->lock);
    terminal->ending = true;
    atomic_store(&terminal->abandoned, true);
    pthread_cond_broadcast(&terminal->changed);
    for (int waits = 0; waits < END_MS / LOOK_AGAIN_MS && !terminal->ended; waits++)
        wait_a_moment(terminal);
    bool ended = terminal->ended;
    pthread_mutex_unlock(&terminal->lock);
    return ended && pthread_join(terminal->thread, NULL) == 0;
}

void terminal_destroy(struct terminal *terminal)
{
    if (terminal == NULL || (terminal->started && !end_thread(terminal)))
        return;
    pthread_cond_destroy(&terminal->changed);
    pthread_mutex_destroy(&terminal->lock);
    if (terminal->descriptor >= 0)
        close(terminal->descriptor);
    free(terminal->filling.bytes);
    free(terminal->writing.bytes);
    free(terminal);
}

bool terminal_is_told(const struct terminal *terminal)
{
    return terminal->told;
}

int terminal_failure(const struct terminal *terminal)
{
    return atomic_load(&terminal->failure);
}

uint64_t terminal_dropped(const struct terminal *terminal)
{
    return atomic_load(&terminal->dropped);
}

const char *terminal_name(const struct terminal *terminal)
{
    return terminal->setup.name;
}
