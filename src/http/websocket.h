// A stream of the API on a WebSocket (RFC 6455): GET /ws/<service>/<method>. The first binary message is the request, those that
// come back are responses; a text in the end is Connect's EndStream, then 1000. This part answers the handshake.
#pragma once

#include <stdbool.h>

struct exchange;
struct MHD_Response;

// Whether the path is of a WebSocket. Then there is an answer, which may be to switch protocols (exchange->stream).
bool websocket_answer(struct exchange *exchange);
// The response that switches; NULL without memory.
struct MHD_Response *websocket_response(struct exchange *exchange);

// POST /ticket. Whether it is that; then there is an answer.
bool ticket_answer(struct exchange *exchange);
