// That a file can be opened for writing, held until it is: whoever opens several outputs claims all of them first, so that
// none is emptied when another one cannot be opened. Nothing of what is in a file is touched. One thread.
#pragma once

#include <stdbool.h>

#include "base/error.h"

// Zeros = nothing is claimed.
struct output_claim {
    const char *path; // borrowed
    int fd;
    bool made; // the file was not there
};

// Whether it could be, as far as can be told without opening it. False with a sentence.
bool output_claim_check(const char *path, struct error *error);
// Pipes and devices are not claimed: who opens them has begun to write. False with a sentence.
bool output_claim_take(struct output_claim *claim, const char *path, unsigned mode, struct error *error);
// `used`: the outputs were opened. Otherwise one that was made goes again.
void output_claim_drop(struct output_claim *claim, bool used);
