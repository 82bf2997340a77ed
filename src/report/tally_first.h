// Which rows of a full tally stand first, by weight, then key: what stays when half of it is given up. Internal to the
// tally. Pure. Cost: a few passes over the rows, without a comparison of two.
#pragma once

#include "report/tally.h"

// Sets stays[i] to 1 for the `most` of `count` rows that stand first, in any order of rows; the others stay 0. False
// without memory.
bool tally_mark_first(const struct tally_row *rows, size_t count, size_t most, uint32_t *stays);
