#include "base/bell.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { ROUNDS = 20000 };

static struct bell there, back;
static atomic_uint sent, seen;

// Answers every ring: what was sent before it must be seen.
static void *answer(void *argument)
{
    (void)argument;
    for (unsigned expected = 1; expected <= ROUNDS; expected++) {
        for (;;) {
            unsigned count = bell_count(&there);
            if (atomic_load(&sent) == expected)
                break;
            bell_wait(&there, count, -1);
        }
        atomic_store(&seen, expected);
        bell_ring(&back);
    }
    return NULL;
}

Test(bell, loses_no_ring, .timeout = 60)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, answer, NULL), 0);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        atomic_store(&sent, i);
        bell_ring(&there);
        for (;;) {
            unsigned count = bell_count(&back);
            if (atomic_load(&seen) == i)
                break;
            bell_wait(&back, count, -1);
        }
    }
    pthread_join(thread, NULL);
}

Test(bell, does_not_wait_when_it_rang_since_the_count, .timeout = 10)
{
    struct bell bell = {0};
    unsigned count = bell_count(&bell);
    bell_ring(&bell);
    bell_ring(&bell);
    bell_wait(&bell, count, -1);
    cr_expect_eq(bell_count(&bell), count + 2);
}
