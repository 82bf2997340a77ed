// How much memory this process may take.
#pragma once

#include <stdint.h>

// The least limit of its memory cgroup and of those above it, version 1 or 2 (there that of
// memory.high, too, above which it would hardly get on); 0 = none, or not known.
uint64_t memory_limit(void);

// The same of a text as /proc/self/cgroup has it, with the groups mounted under `root`. For tests.
uint64_t memory_limit_of(const char *cgroups, const char *root);
