// A frame that was copied out of the capture (a tap's), taken apart again as dispatch did it: for who shows packets. Pure;
// any thread; the packet borrows the frame's bytes.
#pragma once

#include "capture/source.h"
#include "decode/decode.h"

void frame_decode(const struct frame *frame, uint64_t number, const struct decode_options *options,
                  struct packet *packet);
