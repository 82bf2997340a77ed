#include "base/futex.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NS_OF_MS = 1000000 };

bool futex_wait(atomic_uint *word, unsigned value, int timeout_ms)
{
    struct timespec timeout = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * (long)NS_OF_MS};
    if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout_ms < 0 ? NULL : &timeout, NULL, 0) == 0)
        return true;
    assert(errno == EAGAIN || errno == EINTR ||
           errno == ETIMEDOUT); // else it never sleeps, and its caller spins
    return errno != EAGAIN;
}

void futex_wake(atomic_uint *word)
{
    long woken = syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    assert(woken >= 0);
}
