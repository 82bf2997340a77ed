#include "base/latch.h"

#include <assert.h>

#include "base/futex.h"

enum { LATCH_WAITED_FOR = 1u << 31 };

static unsigned left_of(unsigned word)
{
    return word & ~(unsigned)LATCH_WAITED_FOR;
}

void latch_close(struct latch *latch, unsigned count)
{
    assert(count > 0 && count < LATCH_WAITED_FOR - 1);
    atomic_store_explicit(&latch->word, count + 1, memory_order_relaxed);
}

bool latch_arrive(struct latch *latch)
{
    unsigned left = left_of(atomic_fetch_sub_explicit(&latch->word, 1, memory_order_acq_rel));
    assert(left >= 2); // else more arrived than it was closed for
    return left == 2;
}

void latch_open(struct latch *latch)
{
    unsigned word = atomic_exchange_explicit(&latch->word, 0, memory_order_acq_rel);
    assert(left_of(word) == 1); // all arrived, and nobody opened it yet
    if (word != 1)
        futex_wake(&latch->word);
}

bool latch_is_open(struct latch *latch)
{
    return left_of(atomic_load_explicit(&latch->word, memory_order_acquire)) == 0;
}

bool latch_wait(struct latch *latch, int timeout_ms)
{
    while (!latch_is_open(latch)) {
        unsigned word = atomic_fetch_or_explicit(&latch->word, LATCH_WAITED_FOR, memory_order_acq_rel);
        if (left_of(word) == 0)
            break;
        bool slept = futex_wait(&latch->word, word | LATCH_WAITED_FOR, timeout_ms);
        if (slept && timeout_ms >= 0) // else another one arrived in between
            return latch_is_open(latch);
    }
    return true;
}
