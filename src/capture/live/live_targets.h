// What a live capture is to capture on: the words of capture.interfaces and of start(). The keeper's.
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/settings.h"

enum { LIVE_TARGETS_MAX = 64, LIVE_WORD_BYTES = 64 };

enum target_kind { TARGET_NAME, TARGET_GLOB, TARGET_AUTO };

struct live_target {
    char word[LIVE_WORD_BYTES];
    char chosen[IF_NAMESIZE]; // by an auto that found one
    enum target_kind kind;
};

struct live_targets {
    struct live_target items[LIVE_TARGETS_MAX];
    unsigned count;
};

enum target_kind live_target_kind(const char *word);
// The word under which its interfaces are told: of an auto what it chose.
const char *live_target_name(const struct live_target *target);

// By its word, or by what an auto chose; NULL = none.
struct live_target *live_targets_find(struct live_targets *targets, const char *word);
// NULL with a sentence when there are too many, or the word is too long.
struct live_target *live_targets_add(struct live_targets *targets, const char *word, struct error *error);
void live_targets_remove(struct live_targets *targets, struct live_target *target);
// All of the settings; none is auto.
bool live_targets_read(struct live_targets *targets, const struct capture_settings *settings,
                       struct error *error);

// Whether the settings keep the interface out of globs.
bool live_targets_excluded(const struct capture_settings *settings, const char *name);
