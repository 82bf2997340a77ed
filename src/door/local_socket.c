#include "door/local_socket.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_MODE = 0660 };

static bool cannot_listen(const char *name, const char *path, struct error *error)
{
    return error_set(error, error_kind_of_errno(errno),
                     "%s cannot listen on the socket %s: %s; see to its folder or change %s.socket", name,
                     path, strerror(errno), name);
}

static bool fill_address(struct sockaddr_un *address, const char *name, const char *path, struct error *error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s.socket (%s) is longer than the %zu bytes a socket may have", name, path,
                         sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, length);
    return true;
}

static int make_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// Whether nobody listens there: a full queue of a live one says EAGAIN.
static bool is_dead(const struct sockaddr_un *address)
{
    int probe = make_socket();
    if (probe < 0)
        return false;
    bool refused =
        connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    close(probe);
    return refused;
}

// Removes what a dead server left.
static bool make_way(const struct sockaddr_un *address, const char *name, struct error *error)
{
    struct stat status;
    const char *path = address->sun_path;
    if (lstat(path, &status) != 0)
        return errno == ENOENT || cannot_listen(name, path, error);
    if (!S_ISSOCK(status.st_mode))
        return error_set(error, ERROR_FAILED_PRECONDITION,
                         "%s.socket (%s) is a file that is no socket; move it or choose another path", name,
                         path);
    if (!is_dead(address))
        return error_set(error, ERROR_FAILED_PRECONDITION,
                         "another process listens on %s.socket (%s); stop it or choose another path", name,
                         path);
    return unlink(path) == 0 || cannot_listen(name, path, error);
}

// The mode before bind() is what the umask is taken from, so the file is never open to more; after it, what the umask
// took away is given back.
static bool bind_and_listen(struct local_socket *local, const struct sockaddr_un *address)
{
    struct stat status;
    const char *path = address->sun_path;
    if (fchmod(local->descriptor, SOCKET_MODE) != 0 ||
        bind(local->descriptor, (const struct sockaddr *)address, sizeof *address) != 0)
        return false;
    if (lstat(path, &status) != 0)
        return false;
    local->device = status.st_dev;
    local->inode = status.st_ino;
    return chmod(path, SOCKET_MODE) == 0 && listen(local->descriptor, SOMAXCONN) == 0;
}

bool local_socket_open(struct local_socket *local, const char *name, const char *path, struct error *error)
{
    struct sockaddr_un address;
    *local = (struct local_socket){.descriptor = -1, .path = path};
    if (!fill_address(&address, name, path, error) || !make_way(&address, name, error))
        return false;
    local->descriptor = make_socket();
    if (local->descriptor >= 0 && bind_and_listen(local, &address))
        return true;
    cannot_listen(name, path, error);
    local_socket_close(local);
    return false;
}

void local_socket_close(struct local_socket *local)
{
    struct stat status;
    if (local->descriptor < 0)
        return;
    assert(local->path != NULL);
    if (local->inode != 0 && lstat(local->path, &status) == 0 && status.st_dev == local->device &&
        status.st_ino == local->inode)
        unlink(local->path);
    close(local->descriptor);
    local->descriptor = -1;
}
