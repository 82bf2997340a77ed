#include "pipeline/frame_packet.h"

#include "pipeline/observation.h"

void frame_decode(const struct frame *frame, uint64_t number, const struct decode_options *options,
                  struct packet *packet)
{
    *packet = (struct packet){
        .time_ns = frame->time_ns,
        .number = number,
        .bytes = frame->bytes,
        .captured = frame->captured,
        .length = frame->length,
        .interface = frame->interface,
        .link_type = frame->link_type,
    };
    decode_packet(packet, options);
    if (packet->link_interface != 0)
        packet->interface = observation_interface(packet->link_interface);
}
