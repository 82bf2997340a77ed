#include "decode/app/dns_name.h"

#include <assert.h>

#include "decode/app/name_text.h"

enum {
    NAME_WIRE_BYTES_MAX = 255,
    JUMPS_MAX = 128,
    LABEL_BYTES_MAX = 63,
    POINTER = 0xc0,    // and above: the first byte of a compression pointer
    HEADER_BYTES = 12, // nothing that a pointer may mean is in there
};

static bool add_label(struct name_text *text, const uint8_t *label, size_t length, unsigned rules)
{
    return (text->length == 0 || name_text_add_plain(text, '.')) &&
           name_text_add(text, label, length, rules | NAME_TEXT_LABEL);
}

static size_t pointer_offset(struct cursor *cursor, uint8_t high)
{
    return (size_t)(high - POINTER) << 8 | cursor_u8(cursor);
}

static bool leads_back(const uint8_t *message, size_t offset, const uint8_t *before)
{
    return offset >= HEADER_BYTES && offset < (size_t)(before - message);
}

// One name on its way through the message.
struct walk {
    struct cursor reader;
    const uint8_t *message;
    const uint8_t *run;   // where the labels that are being read begin; a pointer must lead before it
    const uint8_t *after; // behind the name where it was met: its root, or its first pointer
    unsigned jumps;
    size_t wire_bytes;
    struct name_text text;
    unsigned rules; // enum name_text_rule
    bool full;      // no more text fits
};

enum step { STEP_BROKEN, STEP_ON, STEP_ROOT };

static void note_end(struct walk *walk)
{
    assert(walk->run >= walk->message && walk->reader.at > walk->run);
    if (walk->after == NULL)
        walk->after = walk->reader.at;
}

static enum step take_label(struct walk *walk, uint8_t length)
{
    const uint8_t *label = cursor_bytes(&walk->reader, length);
    walk->wire_bytes += 1 + (size_t)length;
    if (label == NULL || walk->wire_bytes >= NAME_WIRE_BYTES_MAX) // the root's byte is still to come
        return STEP_BROKEN;
    walk->full = walk->full || !add_label(&walk->text, label, length, walk->rules);
    return STEP_ON;
}

static enum step follow_pointer(struct walk *walk, uint8_t high)
{
    size_t offset = pointer_offset(&walk->reader, high);
    if (walk->reader.failed || !leads_back(walk->message, offset, walk->run) || ++walk->jumps > JUMPS_MAX)
        return STEP_BROKEN;
    note_end(walk);
    walk->run = walk->reader.at = walk->message + offset;
    return STEP_ON;
}

static enum step take_step(struct walk *walk)
{
    uint8_t head = cursor_u8(&walk->reader);
    if (walk->reader.failed)
        return STEP_BROKEN;
    if (head >= POINTER)
        return follow_pointer(walk, head);
    if (head > LABEL_BYTES_MAX)
        return STEP_BROKEN;
    if (head > 0)
        return take_label(walk, head);
    note_end(walk);
    return STEP_ROOT;
}

static bool name_broken(struct dns_name *name, struct cursor *cursor, bool ended)
{
    name->length = 0;
    name->text[0] = '\0';
    cursor->failed = ended;
    return false;
}

bool dns_name_read(struct cursor *cursor, const uint8_t *message, bool utf8, struct dns_name *name)
{
    struct walk walk = {
        .reader = *cursor,
        .message = message,
        .run = cursor->at,
        .text = {.text = name->text, .room = sizeof name->text},
        .rules = utf8 ? NAME_TEXT_UTF8 : 0,
    };
    enum step step;
    do {
        step = take_step(&walk);
    } while (step == STEP_ON);
    if (step == STEP_BROKEN)
        return name_broken(name, cursor, walk.reader.failed);
    if (walk.text.length == 0)
        name_text_add_plain(&walk.text, '.');
    name->length = (uint8_t)name_text_end(&walk.text);
    assert(walk.after > cursor->at && walk.after <= cursor->end);
    cursor->at = walk.after;
    return true;
}

bool dns_name_skip(struct cursor *cursor, const uint8_t *message)
{
    const uint8_t *start = cursor->at;
    for (size_t wire_bytes = 0; wire_bytes < NAME_WIRE_BYTES_MAX;) {
        uint8_t head = cursor_u8(cursor);
        if (head >= POINTER) {
            size_t offset = pointer_offset(cursor, head);
            return !cursor->failed && leads_back(message, offset, start);
        }
        if (head > LABEL_BYTES_MAX)
            return false;
        if (head == 0)
            return !cursor->failed;
        cursor_skip(cursor, head);
        wire_bytes += 1 + (size_t)head;
    }
    return false;
}
