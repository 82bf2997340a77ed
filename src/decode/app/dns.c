#include "decode/app/dns.h"

#include <assert.h>

#include "base/cursor.h"
#include "decode/app/dns_message.h"
#include "decode/app/dns_name.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, TYPE_OPT = 41, CLASS_IN = 1, CLASS_FLUSH = 0x8000 };

enum {
    FLAG_RESPONSE = 0x8000,
    FLAG_AUTHORITATIVE = 0x0400,
    FLAG_TRUNCATED = 0x0200,
    FLAG_RECURSION_DESIRED = 0x0100,
    FLAG_RECURSION_AVAILABLE = 0x0080,
};

// A resource record, its name left out.
struct record {
    uint16_t type, class;
    uint32_t ttl_seconds;
    struct cursor body;
};

static inline void read_header(struct cursor *cursor, bool utf8, struct dns_message *out)
{
    *out = (struct dns_message){.id = cursor_u16(cursor), .utf8 = utf8};
    uint16_t flags = cursor_u16(cursor);
    out->response = (flags & FLAG_RESPONSE) != 0;
    out->opcode = (uint8_t)(flags >> 11 & 15);
    out->authoritative = (flags & FLAG_AUTHORITATIVE) != 0;
    out->truncated = (flags & FLAG_TRUNCATED) != 0;
    out->recursion_desired = (flags & FLAG_RECURSION_DESIRED) != 0;
    out->recursion_available = (flags & FLAG_RECURSION_AVAILABLE) != 0;
    out->rcode = flags & 15;
    out->questions = cursor_u16(cursor);
    out->answers = cursor_u16(cursor);
    out->authorities = cursor_u16(cursor);
    out->additionals = cursor_u16(cursor);
}

static bool read_first_question(struct cursor *cursor, const uint8_t *message, struct dns_message *out)
{
    if (!dns_name_read(cursor, message, out->utf8, &out->name))
        return false;
    out->type = cursor_u16(cursor);
    out->class = cursor_u16(cursor);
    return !cursor->failed;
}

static bool read_questions(struct cursor *cursor, const uint8_t *message, struct dns_message *out)
{
    if (out->questions > 0 && !read_first_question(cursor, message, out))
        return false;
    for (unsigned i = 1; i < out->questions; i++)
        if (!dns_name_skip(cursor, message) || !cursor_skip(cursor, 4))
            return false;
    return true;
}

// What follows a record's name.
static bool read_record(struct cursor *cursor, struct record *record)
{
    record->type = cursor_u16(cursor);
    record->class = cursor_u16(cursor);
    record->ttl_seconds = cursor_u32(cursor);
    record->body = cursor_sub(cursor, cursor_u16(cursor));
    return !cursor->failed;
}

static struct address record_address(const struct record *record)
{
    size_t length = cursor_left(&record->body);
    if ((record->class & ~CLASS_FLUSH) != CLASS_IN)
        return (struct address){.version = 0};
    if (record->type == TYPE_A && length == 4)
        return address_v4(record->body.at);
    if (record->type == TYPE_AAAA && length == 16)
        return address_v6(record->body.at);
    return (struct address){.version = 0};
}

static bool read_answer(struct cursor *cursor, const uint8_t *message, struct dns_message *out, bool names)
{
    struct record record;
    if (!(names ? dns_name_read(cursor, message, out->utf8, &out->name) : dns_name_skip(cursor, message)) ||
        !read_record(cursor, &record))
        return false;
    if (names) {
        out->type = record.type;
        out->class = record.class;
    }
    if (out->addresses < DNS_ANSWERS)
        out->answer[out->addresses++] = (struct dns_answer){
            .type = record.type, .ttl_seconds = record.ttl_seconds, .address = record_address(&record)};
    return true;
}

static bool read_answers(struct cursor *cursor, const uint8_t *message, struct dns_message *out)
{
    for (unsigned i = 0; i < out->answers; i++)
        if (!read_answer(cursor, message, out, i == 0 && out->questions == 0))
            return false;
    return true;
}

static bool read_authorities(struct cursor *cursor, const uint8_t *message, struct dns_message *out)
{
    struct record record;
    for (unsigned i = 0; i < out->authorities; i++)
        if (!dns_name_skip(cursor, message) || !read_record(cursor, &record))
            return false;
    return true;
}

static bool read_additionals(struct cursor *cursor, const uint8_t *message, struct dns_message *out)
{
    for (unsigned i = 0; i < out->additionals; i++) {
        struct record record;
        if (!dns_name_skip(cursor, message) || !read_record(cursor, &record))
            return false;
        if (record.type != TYPE_OPT || out->edns)
            continue;
        out->edns = true;
        out->rcode = (uint16_t)(out->rcode | record.ttl_seconds >> 24 << 4);
    }
    return true;
}

enum dns_fit dns_read(const uint8_t *bytes, size_t length, bool utf8, struct dns_message *out)
{
    if (length < DNS_HEADER_BYTES)
        return DNS_FIT_NONE;
    struct cursor cursor = cursor_of(bytes, length);
    read_header(&cursor, utf8, out);
    if (read_questions(&cursor, bytes, out) && read_answers(&cursor, bytes, out) &&
        read_authorities(&cursor, bytes, out) && read_additionals(&cursor, bytes, out))
        return cursor_left(&cursor) == 0 ? DNS_FIT_EXACT : DNS_FIT_TRAILER;
    return cursor.failed ? DNS_FIT_CUT : DNS_FIT_NONE;
}

bool dns_read_front(const uint8_t *bytes, size_t length, bool utf8, struct dns_message *out)
{
    assert(length >= DNS_HEADER_BYTES);
    struct cursor cursor = cursor_of(bytes, length);
    read_header(&cursor, utf8, out);
    return out->questions > 0 && read_first_question(&cursor, bytes, out);
}

bool dns_parse(const uint8_t *bytes, size_t length, bool complete, struct dns_message *out)
{
    switch (dns_read(bytes, length, false, out)) {
    case DNS_FIT_EXACT:
    case DNS_FIT_TRAILER:
        return true;
    case DNS_FIT_CUT:
        return !complete || out->truncated;
    case DNS_FIT_NONE:
        break;
    }
    return false;
}
