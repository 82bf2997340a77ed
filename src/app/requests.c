#include "app/requests.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aggregate/snapshot.h"
#include "app/outputs.h"
#include "app/reload.h"
#include "app/signals.h"
#include "app/status.h"
#include "base/thread.h"
#include "control/control.h"

static void fill(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGUSR1);
    sigaddset(set, SIGHUP);
}

static bool terminal_is_there(void)
{
    int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (terminal >= 0)
        close(terminal);
    return terminal >= 0;
}

// A change needs shards that answer: the first tick tells that they do.
static void await_run(const struct requests *requests)
{
    enum { LOOKS = 100, LOOK_EVERY_US = 10000 };
    for (int i = 0; i < LOOKS && !atomic_load(&requests->ending); i++) {
        const struct snapshot *snapshot = control_snapshot(requests->control);
        snapshot_release(snapshot);
        if (snapshot != NULL)
            return;
        usleep(LOOK_EVERY_US);
    }
}

// "" = none that can be looked at: what came through a pipe comes once.
static const char *settings_path(const struct requests *requests)
{
    const char *path = requests->outputs->settings->file;
    struct stat status;
    return path != NULL && stat(path, &status) == 0 && S_ISREG(status.st_mode) ? path : "";
}

// A file that is not there is about to be replaced: a link that is moved, an editor that saves.
static void look_at_file(struct requests *requests)
{
    struct file_version version = file_version_of(settings_path(requests));
    if (!version.exists || file_version_is_same(&version, &requests->version))
        return;
    requests->version = version;
    await_run(requests);
    reload_settings(requests->control, requests->origin);
}

static void take_hangup(struct requests *requests)
{
    if (requests->has_terminal && !terminal_is_there()) {
        signals_stop();
        return;
    }
    await_run(requests);
    requests->version = file_version_of(settings_path(requests));
    reload(requests->control, requests->outputs, requests->servers, requests->origin);
}

static void *await_signals(void *argument)
{
    static const struct timespec look_after = {.tv_sec = 2};
    struct requests *requests = argument;
    sigset_t set;
    fill(&set);
    pthread_setname_np(pthread_self(), "requests");
    while (!atomic_load(&requests->ending)) {
        int number = sigtimedwait(&set, NULL, &look_after);
        if (atomic_load(&requests->ending))
            break;
        if (number == SIGHUP)
            take_hangup(requests);
        else if (number == SIGUSR1)
            status_tell(requests->control, requests->outputs->errors);
        else
            look_at_file(requests);
    }
    return NULL;
}

void requests_block_signals(void)
{
    sigset_t set;
    fill(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

// nohup and its like ignore SIGHUP, so that a terminal's end is none of the run's.
static bool is_hangup_ignored(void)
{
    struct sigaction action;
    return sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void requests_start(struct requests *requests, struct control *control, struct outputs *outputs,
                    struct servers *servers, const struct config_origin *origin)
{
    *requests =
        (struct requests){.control = control, .outputs = outputs, .servers = servers, .origin = origin};
    requests->version = file_version_of(settings_path(requests));
    requests->has_terminal = !is_hangup_ignored() && terminal_is_there();
    requests->started = thread_start(&requests->thread, await_signals, requests);
}

void requests_stop(struct requests *requests)
{
    if (!requests->started)
        return;
    atomic_store(&requests->ending, true);
    pthread_kill(requests->thread, SIGUSR1);
    pthread_join(requests->thread, NULL);
    requests->started = false;
}
