#include "api/packet_call.h"

#include "capture/own_connections.h"
#include "pipeline/frame_packet.h"

bool packets_may_be_seen(struct call *call)
{
    return call->limits == NULL ||
           status_set(&call->status, STATUS_PERMISSION_DENIED, "PACKETS_NEED_NO_LIMITS",
                      "packets are shown to callers who see everything, and %.100s has limits: ask for flows",
                      call->caller->identity);
}

bool packet_is_own(const struct own_connections *own, const struct packet *packet)
{
    struct endpoint source = {packet->source, packet->source_port};
    struct endpoint target = {packet->target, packet->target_port};
    return packet->ports_known && packet->ip_protocol == IP_PROTOCOL_TCP && own_connections_any(own) &&
           own_connections_hold(own, &source, &target);
}

bool frame_is_own(const struct own_connections *own, const struct frame *frame)
{
    struct packet packet;
    if (!own_connections_any(own))
        return false;
    frame_decode(frame, 0, &(struct decode_options){.tunnels = true}, &packet);
    return packet_is_own(own, &packet);
}
