// The frame guard: counts HTTP/2 frames (RFC 9113, section 4.1) on their way from a client to the server, by the nine bytes
// that each begins with; header compression is not its business. It ends what costs the server much and the client
// nothing: streams begun and reset (CVE-2023-44487), pings and settings that ask for answers, header blocks without end
// (CVE-2024-27316), empty frames. Of the other direction it knows where frames end, so that a GOAWAY can be put
// between two, and how long frames may be that the server said it takes.
//
// Pure: bytes and a time in, a verdict out, the same however the bytes are cut into pieces. One owner, one thread. A
// frame costs some 10 ns, its payload nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What is counted together. OTHER: WINDOW_UPDATE, PRIORITY, DATA without payload and frames of types unknown.
enum frame_kind {
    FRAMES_HEADERS,
    FRAMES_RST_STREAM,
    FRAMES_PING,
    FRAMES_SETTINGS,
    FRAMES_CONTINUATION,
    FRAMES_OTHER,
    FRAME_KINDS
};

enum frame_verdict {
    FRAMES_FINE,
    FRAMES_NO_PREFACE,       // this is no HTTP/2
    FRAMES_BROKEN,           // a header block that is interrupted, or continued before it began
    FRAMES_TOO_LONG,         // longer than the server said it takes
    FRAMES_HEADERS_TOO_LONG, // one header block
    FRAMES_TOO_MANY,         // and the kind: FRAMES_TOO_MANY + FRAMES_PING
    FRAME_VERDICTS = FRAMES_TOO_MANY + FRAME_KINDS
};

// Of a connection, a second; all connections together may four times as much, and a fiftieth is each one's own whatever
// the others do. What was not used is good for one more second.
struct frame_limits {
    uint32_t per_second[FRAME_KINDS];
    uint32_t header_block_bytes; // HEADERS and all CONTINUATION of it
    uint32_t pings_open;         // that the server has not answered yet
};
extern const struct frame_limits frame_usual_limits;

// A budget a kind: the time up to which it is spent. Zeros are a full one.
struct frame_budget {
    int64_t spent_ns[FRAME_KINDS];
};

enum { FRAME_HEADER_BYTES = 9, FRAME_ENTRY_BYTES = 6, FRAME_FAREWELL_BYTES = 26 };

// Where one direction is.
struct frame_reader {
    uint8_t header[FRAME_HEADER_BYTES];
    uint8_t header_bytes;  // of them read
    uint32_t payload_left; // once all are
};

struct frame_guard {
    const struct frame_limits *limits; // borrowed, as the budget of all
    struct frame_budget *all;
    struct frame_budget spent, own; // of the limits; of the fiftieth
    struct frame_reader client, server;
    enum frame_verdict verdict;
    uint8_t preface_bytes; // of the client's preface, read
    uint8_t entry_bytes;   // of an entry of the server's SETTINGS
    uint8_t entry[FRAME_ENTRY_BYTES];
    bool server_spoke;                  // at least a frame
    bool asked;                         // a first header block is complete: a request is there
    uint32_t block_stream, block_bytes; // the header block that is open; stream 0 = none
    uint32_t last_stream;               // the newest that was begun
    uint32_t longest;                   // payload that the server takes
    uint32_t pings_open;                // of the client's, not answered
};

void frame_guard_init(struct frame_guard *guard, const struct frame_limits *limits, struct frame_budget *all);

// What the client sent. The verdict stays once it is not FRAMES_FINE; nothing of these bytes should then be passed on.
enum frame_verdict frame_guard_client(struct frame_guard *guard, const uint8_t *bytes, size_t length,
                                      int64_t now_ns);
// What the server sent.
void frame_guard_server(struct frame_guard *guard, const uint8_t *bytes, size_t length);

// Frames that end the connection with ENHANCE_YOUR_CALM, to be put behind all that the server sent. Their length; 0 in the
// middle of a frame, where none can be.
size_t frame_guard_farewell(const struct frame_guard *guard, uint8_t into[FRAME_FAREWELL_BYTES]);
