// How far two words are from each other, for "did you mean". Pure; any thread.
#pragma once

// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. Words are
// compared up to their first 63 bytes.
unsigned edit_distance(const char *from, const char *to);
