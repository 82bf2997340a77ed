#include "flow/shown.h"

#include <stdlib.h>
#include <string.h>

void flow_shown_done(struct flow_shown *shown)
{
    free(shown->bits[0].words);
    free(shown->bits[1].words);
    *shown = (struct flow_shown){.began_ns = FLOWS_NOT_BEGUN};
}

// A half more than is needed, as tables grow while they are listed.
static bool grow(struct flow_shown *shown, bool v6, uint32_t words)
{
    uint32_t count = words + words / 2;
    uint64_t *grown = realloc(shown->bits[v6].words, count * sizeof *grown);
    if (grown == NULL)
        return false;
    uint32_t before = shown->bits[v6].count;
    memset(grown + before, 0, (count - before) * sizeof *grown);
    shown->bits[v6].words = grown;
    shown->bits[v6].count = count;
    return true;
}

bool flow_shown_mark(struct flow_shown *shown, uint32_t id)
{
    bool v6 = (id & FLOW_ID_V6) != 0;
    uint32_t node = id & ~(uint32_t)FLOW_ID_V6, word = node / 64;
    if (word >= shown->bits[v6].count && !grow(shown, v6, word + 1))
        return false;
    shown->bits[v6].words[word] |= UINT64_C(1) << node % 64;
    return true;
}

size_t flow_shown_bytes(const struct flow_shown *shown)
{
    return ((size_t)shown->bits[0].count + shown->bits[1].count) * sizeof *shown->bits[0].words;
}
