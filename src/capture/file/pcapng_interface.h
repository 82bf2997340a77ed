// The interface description block of pcapng: link type, snaplen, and the options that matter (name, time
// resolution, time offset). Pure. For pcapng_file.c.
#pragma once

#include <stdbool.h>

#include "base/cursor.h"
#include "capture/file/pcapng_file.h"

enum { PCAPNG_INTERFACE_BYTES = 20 }; // of the shortest block

// Reads the block's body (without header and trailer) and adds the interface to the source's list; false
// without memory.
bool pcapng_interface_read(struct pcapng_interface *interface, struct cursor body, bool little_endian,
                           const struct file_identity *identity);

// The next option of a block; false = no more.
bool pcapng_next_option(struct cursor *options, bool little_endian, uint16_t *code, struct cursor *value);

// Loss that the file records: options of an interface statistics block, of an enhanced packet block, or the number of
// an old packet block.
void pcapng_interface_read_statistics(struct pcapng_interface *interface, struct cursor options,
                                      bool little_endian, struct interface_list *list);
void pcapng_interface_read_drops(struct pcapng_interface *interface, struct cursor options,
                                 bool little_endian, struct interface_list *list);
void pcapng_interface_add_loss(struct pcapng_interface *interface, uint64_t packets,
                               struct interface_list *list);

// A stamp of any 64-bit value as nanoseconds; what does not fit becomes the nearest that does.
int64_t pcapng_clock_ns(const struct pcapng_clock *clock, uint64_t units);
