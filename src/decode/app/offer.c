#include "decode/app/offer.h"

#include <assert.h>
#include <string.h>

// Seven bits a byte, the highest set: neither NUL nor what stands between the lists.
enum { NUMBER_MARK = 0x80, NUMBER_BITS = 7, SEPARATOR = ',' };

struct writer {
    char *at, *end; // room for the terminator is behind `end`
    bool full;
};

static void write_byte(struct writer *writer, int byte)
{
    writer->full |= writer->at == writer->end;
    if (!writer->full)
        *writer->at++ = (char)byte;
}

static void write_number(struct writer *writer, uint16_t number)
{
    if (writer->end - writer->at < OFFER_NUMBER_BYTES) {
        writer->full = true;
        return;
    }
    for (int i = 0; i < OFFER_NUMBER_BYTES; i++)
        writer->at[i] = (char)(NUMBER_MARK | (number >> (OFFER_NUMBER_BYTES - 1 - i) * NUMBER_BITS & 0x7f));
    writer->at += OFFER_NUMBER_BYTES;
}

static void write_numbers(struct writer *writer, struct cursor list)
{
    while (cursor_left(&list) >= 2 && !writer->full) {
        uint16_t number = cursor_u16(&list);
        if (!is_grease(number))
            write_number(writer, number);
    }
    write_byte(writer, SEPARATOR);
}

// The types in an extension block that could be read whole.
static void write_extensions(struct writer *writer, struct cursor block)
{
    while (cursor_left(&block) > 0 && !writer->full) {
        uint16_t type = cursor_u16(&block);
        if (!cursor_skip(&block, cursor_u16(&block)))
            break;
        if (!is_grease(type))
            write_number(writer, type);
    }
    write_byte(writer, SEPARATOR);
}

static void write_formats(struct writer *writer, struct cursor formats)
{
    while (cursor_left(&formats) > 0 && !writer->full)
        write_number(writer, cursor_u8(&formats));
    write_byte(writer, SEPARATOR);
}

static bool is_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

// The outer characters of the first protocol, or of its bytes in hexadecimal.
static void write_protocol(struct writer *writer, struct cursor protocols)
{
    struct cursor protocol;
    if (!hello_next_protocol(&protocols, &protocol) || cursor_left(&protocol) == 0) {
        write_byte(writer, '0');
        write_byte(writer, '0');
        return;
    }
    uint8_t first = protocol.at[0], last = protocol.end[-1];
    bool plain = is_alphanumeric(first) && is_alphanumeric(last);
    write_byte(writer, plain ? first : "0123456789abcdef"[first >> 4]);
    write_byte(writer, plain ? last : "0123456789abcdef"[last & 15]);
}

void offer_write(const struct hello *hello, char into[TLS_OFFER_BYTES])
{
    struct writer writer = {.at = into, .end = into + TLS_OFFER_BYTES - 1};
    write_byte(&writer, hello->transport);
    write_number(&writer, hello->legacy_version);
    write_number(&writer, hello->highest_version);
    write_byte(&writer, hello->has_sni_extension ? 'd' : 'i');
    write_protocol(&writer, hello->protocols);
    write_numbers(&writer, hello->ciphers);
    write_extensions(&writer, hello->extensions);
    write_numbers(&writer, hello->groups);
    write_formats(&writer, hello->formats);
    write_numbers(&writer, hello->signatures);
    *(writer.full ? into : writer.at) = '\0';
}

static bool is_number(const char *text)
{
    for (int i = 0; i < OFFER_NUMBER_BYTES; i++)
        if ((text[i] & NUMBER_MARK) == 0)
            return false; // the terminator, too
    return true;
}

static uint16_t read_number(const char **text)
{
    unsigned number = 0;
    for (int i = 0; i < OFFER_NUMBER_BYTES; i++)
        number = number << NUMBER_BITS | ((unsigned char)(*text)[i] & 0x7fu);
    *text += OFFER_NUMBER_BYTES;
    return (uint16_t)number;
}

static bool read_list(const char **text, struct offer *out, enum offer_list which)
{
    size_t count = 0;
    for (; is_number(*text) && count < OFFER_NUMBERS_MAX; count++)
        out->list[which].number[count] = read_number(text);
    out->list[which].count = count;
    return *(*text)++ == SEPARATOR;
}

bool offer_read(const char *text, struct offer *out)
{
    if (text[0] == '\0' || !is_number(text + 1) || !is_number(text + 1 + OFFER_NUMBER_BYTES))
        return false;
    out->transport = *text++;
    out->legacy_version = read_number(&text);
    out->version = read_number(&text);
    if (text[0] == '\0' || text[1] == '\0' || text[2] == '\0')
        return false;
    out->server_name = text[0] == 'd';
    memcpy(out->protocol, text + 1, sizeof out->protocol);
    text += 1 + sizeof out->protocol;
    for (int which = 0; which < OFFER_LISTS; which++)
        if (!read_list(&text, out, (enum offer_list)which))
            return false;
    return *text == '\0';
}
