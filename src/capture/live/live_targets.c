#include "capture/live/live_targets.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

enum target_kind live_target_kind(const char *word)
{
    if (strcmp(word, "auto") == 0)
        return TARGET_AUTO;
    return strpbrk(word, "*?[") != NULL ? TARGET_GLOB : TARGET_NAME;
}

const char *live_target_name(const struct live_target *target)
{
    return target->chosen[0] != 0 ? target->chosen : target->word;
}

struct live_target *live_targets_find(struct live_targets *targets, const char *word)
{
    for (unsigned i = 0; i < targets->count; i++)
        if (strcmp(targets->items[i].word, word) == 0 || strcmp(targets->items[i].chosen, word) == 0)
            return &targets->items[i];
    return NULL;
}

struct live_target *live_targets_add(struct live_targets *targets, const char *word, struct error *error)
{
    if (word[0] == 0 || strlen(word) >= LIVE_WORD_BYTES) {
        error_set(error, ERROR_INVALID_ARGUMENT, "\"%s\" is not the name of an interface", word);
        return NULL;
    }
    if (targets->count == LIVE_TARGETS_MAX) {
        error_set(error, ERROR_INVALID_ARGUMENT,
                  "%s is one interface too many; %d are the most that can be named (a glob names many)", word,
                  LIVE_TARGETS_MAX);
        return NULL;
    }
    struct live_target *target = &targets->items[targets->count++];
    *target = (struct live_target){.kind = live_target_kind(word)};
    snprintf(target->word, sizeof target->word, "%s", word);
    return target;
}

void live_targets_remove(struct live_targets *targets, struct live_target *target)
{
    assert(target >= targets->items && target < targets->items + targets->count);
    *target = targets->items[--targets->count];
}

bool live_targets_read(struct live_targets *targets, const struct capture_settings *settings,
                       struct error *error)
{
    const struct string_list *words = &settings->interfaces;
    targets->count = 0;
    if (words->count > LIVE_TARGETS_MAX)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%u interfaces are named; %d are the most (a glob names many)", words->count,
                         LIVE_TARGETS_MAX);
    for (unsigned i = 0; i < words->count; i++)
        if (live_targets_find(targets, words->items[i]) == NULL &&
            live_targets_add(targets, words->items[i], error) == NULL)
            return false;
    return words->count > 0 || live_targets_add(targets, "auto", error) != NULL;
}

bool live_targets_excluded(const struct capture_settings *settings, const char *name)
{
    const struct string_list *exclude = &settings->exclude_interfaces;
    if (exclude->count == 0)
        return strcmp(name, "lo") == 0;
    for (unsigned i = 0; i < exclude->count; i++)
        if (fnmatch(exclude->items[i], name, 0) == 0)
            return true;
    return false;
}
