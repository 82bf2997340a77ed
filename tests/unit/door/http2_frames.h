// Frames of HTTP/2 as a client makes them. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    DATA = 0,
    HEADERS = 1,
    PRIORITY = 2,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    WINDOW_UPDATE = 8,
    CONTINUATION = 9,
    ACK = 1,
    END_HEADERS = 4
};

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Behind what is there; returns the new length. The payload is zeros.
static inline size_t add_frame(uint8_t *into, size_t used, uint8_t type, uint8_t flags, uint32_t stream,
                               uint32_t length)
{
    const uint8_t header[9] = {
        (uint8_t)(length >> 16), (uint8_t)(length >> 8),  (uint8_t)length,        type,           flags,
        (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    memcpy(into + used, header, sizeof header);
    memset(into + used + sizeof header, 0, length);
    return used + sizeof header + length;
}

static inline size_t add_preface(uint8_t *into)
{
    memcpy(into, PREFACE, sizeof PREFACE - 1);
    return add_frame(into, sizeof PREFACE - 1, SETTINGS, 0, 0, 0);
}
