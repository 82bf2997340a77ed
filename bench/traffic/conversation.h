// Synthetic traffic, frame by frame: TCP conversations with a handshake, then requests, responses and ACKs
// in turn, and spoofed SYNs. Which frame comes is a function of its numbers alone. Ethernet, IPv4, right
// checksums. Pure; any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    CONVERSATION_FRAME_BYTES = 320,
    CONVERSATION_HANDSHAKE = 3,
    CONVERSATION_EXCHANGE = 3,
    CONVERSATION_SERVER_PORT = 8080
};

// Flows and steps of a conversation are numbered from 0: SYN, SYN-ACK, ACK, then request, response, ACK for
// ever. Flow numbers are good to 2^30. Returns the frame's length.
unsigned conversation_frame(uint64_t flow, unsigned step, uint8_t into[CONVERSATION_FRAME_BYTES]);

// SYN `number` of a flood: any public source address and port, one target.
unsigned flood_frame(uint64_t number, uint8_t into[CONVERSATION_FRAME_BYTES]);

// Whose turn it is: place 0 to flows - 1 of a round goes over every flow once, in each round in another
// order, so that neighbours in the trace are none in a table. 2^30 flows at most.
uint64_t conversation_turn(uint64_t flows, unsigned round, uint64_t place);

// Well-mixed bits of a number.
uint64_t traffic_scatter(uint64_t number);

// Writes the checksum of an IPv4 header of `length` bytes (20 to 60).
void ipv4_mend_checksum(uint8_t *header, size_t length);
