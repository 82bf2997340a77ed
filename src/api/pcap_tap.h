// The tap of a capture over the wire: which packets it wants, and the ring in which they wait. What does not fit is dropped and
// counted; nothing waits for the client. The ring takes 8 MiB, less where memory is short (control/shares.h).
// It asks the filter on the source's thread, as the kernel would, for some 25 ns a packet and tap (an everyday mix of 5 million
// packets, "port 53"): what the filter leaves out takes no room, and what is dropped is exactly what the client missed.
#pragma once

#include "capture/record/tap.h"

struct control;
struct filter;

enum { PCAP_STREAMS = 8 }; // at a time
enum { PCAP_INTERFACES = 16, PCAP_INTERFACE_BYTES = 64 };

struct pcap_want {
    struct filter *take_filter; // NULL = all; taken, on failure too
    unsigned interface_count;   // 0 = all
    char interfaces[PCAP_INTERFACES][PCAP_INTERFACE_BYTES];
    uint32_t snaplen;
};

// Whether the packets of an interface are wanted, but for those that "any" has of others.
bool pcap_want_has(const struct pcap_want *want, const struct source_interface *interface);

// The tap is in the capture until it is destroyed; both wait for the source's thread: a tenth of a second, and longer while a
// file waits for its outputs.
// NULL with a sentence.
struct pcap_tap;
struct pcap_tap *pcap_tap_create(struct control *control, const struct pcap_want *want, struct error *error);
void pcap_tap_destroy(struct pcap_tap *pcap_tap); // takes NULL

struct tap *pcap_tap_ring(struct pcap_tap *pcap_tap); // for tap_take()
