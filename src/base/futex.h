// Sleeping in the kernel until a word changes (futex(2)); for base/'s own synchronisation.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

// Sleeps while *word is `value`, at most `timeout_ms` (negative = for ever). May return for no reason; false when
// the word was another one to begin with.
bool futex_wait(atomic_uint *word, unsigned value, int timeout_ms);
// Wakes one who sleeps on the word.
void futex_wake(atomic_uint *word);
