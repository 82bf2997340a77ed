// The filter of an open handle. The keeper's: libpcap compiles for the live handle, as only that knows how the kernel
// hides VLAN tags, and the program is put into the kernel directly. That is atomic: what is in the ring was let in by
// the filter before and is analysed, where pcap_setfilter() would let nothing in for a moment, filter the ring a
// second time and count what it leaves out. A cooked handle (any) takes pcap_setfilter(), by the thread that reads.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "capture/live/live_handle.h"

// NULL with a sentence. To be freed by live_filter_free().
struct bpf_program *live_filter_compile(struct live_handle *handle, const char *expression,
                                        struct error *error);
void live_filter_free(struct bpf_program *program); // takes NULL

// Whether the expression is one, where no handle is open: for Ethernet.
bool live_filter_check(const char *expression, struct error *error);

// Puts the program into the kernel; false with errno when it does not take it (too long).
bool live_filter_attach(const struct live_handle *handle, const struct bpf_program *program);
// For a cooked handle: leaves the program to the thread that reads, in place of one that it has not set yet.
void live_filter_ask(struct live_handle *handle, struct bpf_program *take_program);
// The thread that reads: sets the program that waits, and answers in handle->filter_state.
void live_filter_take(struct live_handle *handle);
// The first filter of a handle, in place of the one that lets nothing in. One that is too long for the kernel is
// libpcap's business.
bool live_filter_begin(struct live_handle *handle, const char *expression, struct error *error);
