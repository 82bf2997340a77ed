#include "ctl/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"

enum { COMPLAINT_BYTES = 4096 };

static void prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int socket,
                    int complaints)
{
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    sigaddset(&usual, SIGHUP);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(actions);
    posix_spawn_file_actions_adddup2(actions, socket, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(actions, socket, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(actions, complaints, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &usual);
    posix_spawnattr_setflags(attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

// The errno of a failure.
static int spawn(struct child *child, const char *const arguments[], int socket)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    prepare(&actions, &attributes, socket, child->complaints);
    int failure = posix_spawnp(&child->process, arguments[0], &actions, &attributes,
                               (char *const *)(uintptr_t)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

bool child_start(struct child *child, const char *const arguments[], int *take_socket, struct error *error)
{
    int ends[2];
    *child = (struct child){.process = 0, .complaints = memfd_create("complaints", MFD_CLOEXEC)};
    if (child->complaints < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        error_set(error, error_kind_of_errno(errno), "cannot start %s: %s", arguments[0], strerror(errno));
        child_end(child);
        return false;
    }
    int failure = spawn(child, arguments, ends[1]);
    close(ends[1]);
    if (failure == 0) {
        *take_socket = ends[0];
        return true;
    }
    close(ends[0]);
    child->process = 0;
    child_end(child);
    return error_set(error, error_kind_of_errno(failure), "cannot start %s: %s%s", arguments[0],
                     strerror(failure), failure == ENOENT ? ". Is it installed, and in PATH?" : "");
}

// Whether it has ended; a moment is given for that.
static bool await_end(pid_t process)
{
    enum { LOOKS = 100 };
    const struct timespec moment = {.tv_nsec = 10000000};
    for (unsigned i = 0; i < LOOKS; i++) {
        pid_t ended = waitpid(process, NULL, WNOHANG);
        if (ended != 0 && (ended > 0 || errno != EINTR))
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

void child_end(struct child *child)
{
    if (child->process > 0) {
        kill(-child->process, SIGTERM);
        if (!await_end(child->process)) {
            kill(-child->process, SIGKILL);
            await_end(child->process);
        }
    }
    if (child->complaints > 0)
        close(child->complaints);
    *child = (struct child){.process = 0};
}

void child_add_complaint(const struct child *child, struct strbuf *into)
{
    char text[COMPLAINT_BYTES];
    off_t size = child->complaints > 0 ? lseek(child->complaints, 0, SEEK_END) : 0;
    off_t from = size > (off_t)sizeof text ? size - (off_t)sizeof text : 0;
    ssize_t length = size > 0 ? pread(child->complaints, text, sizeof text, from) : 0;
    while (length > 0 && text[length - 1] == '\n')
        length--;
    const char *line = length > 0 ? memrchr(text, '\n', (size_t)length) : NULL;
    line = line != NULL ? line + 1 : text;
    if (length > 0)
        strbuf_add_wire(into, line, (size_t)(text + length - line));
}

static bool read_all(int socket, struct strbuf *output)
{
    char part[4096];
    ssize_t length;
    shutdown(socket, SHUT_WR);
    while ((length = read(socket, part, sizeof part)) != 0) {
        if (length > 0)
            strbuf_add_bytes(output, part, (size_t)length);
        else if (errno != EINTR)
            return false;
    }
    return !output->failed;
}

bool child_run(const char *const arguments[], struct strbuf *output, struct error *error)
{
    struct child child;
    struct strbuf complaint;
    int socket, status = -1;
    if (!child_start(&child, arguments, &socket, error))
        return false;
    bool fine = read_all(socket, output);
    close(socket);
    while (waitpid(child.process, &status, 0) < 0 && errno == EINTR)
        ;
    child.process = 0;
    fine = fine && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    strbuf_init(&complaint, COMPLAINT_BYTES * 4);
    child_add_complaint(&child, &complaint);
    if (!fine)
        error_set(error, ERROR_UNAVAILABLE, "%s %s failed: %s", arguments[0], arguments[1],
                  complaint.length > 0 ? complaint.text : "it says nothing");
    strbuf_done(&complaint);
    child_end(&child);
    return fine;
}
