// How far two words are from each other, for "did you mean". Pure; any thread.
#pragma once

#include <stdbool.h>

// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. Words are
// compared up to their first 63 bytes.
unsigned edit_distance(const char *from, const char *to);
// Whether a word that is so many edits away can have been meant: at most a third of what was written.
bool edits_are_near(const char *written, unsigned distance);
