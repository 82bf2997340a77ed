// Looks for sensors again and again, on a thread of its own: names are resolved every 30 s, pods listed every 10 s. What is
// found waits until it is taken. Made and destroyed by its owner; complains of what fails once, until it goes well again.
#pragma once

#include "ctl/source.h"

struct finder;

// The sources are borrowed until finder_destroy(), which may take as long as a look. NULL with a sentence.
struct finder *finder_create(const struct source *sources, unsigned count, struct error *error);
void finder_destroy(struct finder *finder); // takes NULL
// What the latest look at a source found, once; places are the caller's. False: nothing new.
bool finder_take(struct finder *finder, unsigned *source, struct places *places);
