#include "api/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

// "1f" + node mark + instance + block.
enum { HEAD = 2, MARK = 8, INSTANCE = INSTANCE_TEXT_BYTES - 1, BLOCK = 2 * SEAL_BYTES };
enum { LENGTH = HEAD + MARK + INSTANCE + BLOCK };
_Static_assert((int)LENGTH < (int)CURSOR_BYTES, "a cursor has room");

struct cursor_block {
    uint64_t next, check;
};

static uint64_t check_of(const struct api *api, enum cursor_log log)
{
    uint64_t name = (uint64_t)log;
    return hash_bytes(&name, sizeof name, api->secret);
}

bool cursor_write(const struct api *api, enum cursor_log log, uint64_t next, char into[CURSOR_BYTES])
{
    struct cursor_block block = {next, check_of(api, log)};
    uint8_t bytes[SEAL_BYTES];
    memcpy(bytes, &block, sizeof bytes);
    if (!seal_close(&api->key, bytes))
        return false;
    int length = snprintf(into, CURSOR_BYTES, "1%c%08" PRIx32 "%s", (char)log, api->node_mark, api->instance);
    for (unsigned i = 0; i < SEAL_BYTES; i++)
        length += snprintf(into + length, CURSOR_BYTES - (size_t)length, "%02x", bytes[i]);
    return true;
}

static bool read_block(const struct api *api, const char *text, struct cursor_block *block)
{
    uint8_t bytes[SEAL_BYTES];
    for (unsigned i = 0; i < SEAL_BYTES; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        bytes[i] = (uint8_t)byte;
    }
    if (!seal_open(&api->key, bytes))
        return false;
    memcpy(block, bytes, sizeof *block);
    return true;
}

enum cursor_kind cursor_read(const struct api *api, enum cursor_log log, const char *text, uint64_t *next)
{
    char mark[MARK + 1];
    struct cursor_block block;
    if (strlen(text) != LENGTH || text[0] != '1' || strspn(text + HEAD, "0123456789abcdef") != LENGTH - HEAD)
        return CURSOR_MALFORMED;
    if (text[1] != CURSOR_FLOWS && text[1] != CURSOR_ALERTS && text[1] != CURSOR_PACKETS)
        return CURSOR_MALFORMED;
    if (text[1] != (char)log)
        return CURSOR_OTHER_LOG;
    snprintf(mark, sizeof mark, "%08" PRIx32, api->node_mark);
    if (memcmp(text + HEAD, mark, MARK) != 0)
        return CURSOR_OTHER_SENSOR;
    if (memcmp(text + HEAD + MARK, api->instance, INSTANCE) != 0)
        return CURSOR_RESTARTED;
    if (!read_block(api, text + HEAD + MARK + INSTANCE, &block) || block.check != check_of(api, log))
        return CURSOR_MALFORMED;
    *next = block.next;
    return CURSOR_OURS;
}
