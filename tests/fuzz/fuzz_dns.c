// DNS messages, bare and as the payload of UDP and TCP packets on several ports.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "decode/app/dns.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check(const struct dns_message *message)
{
    char text[12];
    require(strlen(message->name.text) == message->name.length);
    require(message->addresses <= DNS_ANSWERS && message->addresses <= message->answers);
    require(message->rcode <= 0xfff);
    require(!message->damaged || (message->addresses == 0 && message->rcode <= 0xf && !message->edns));
    require(!message->damaged || (message->name.length > 0) == (message->type != 0));
    require(strlen(dns_type_name(message->type, text)) < 12);
    require(strlen(dns_rcode_name(message->rcode, text)) < 12);
    for (size_t i = 0; i < message->name.length; i++)
        require((message->name.text[i] >= ' ' && message->name.text[i] <= '~') ||
                (message->utf8 && (message->name.text[i] & 0x80) != 0));
}

static void as_packet(const uint8_t *bytes, size_t size, uint8_t protocol, uint16_t port)
{
    struct packet packet;
    struct dns_message message;
    bool found;
    memset(&packet, 0, sizeof packet);
    packet.bytes = bytes;
    packet.payload_captured = packet.payload_length = (uint32_t)size;
    packet.ip_protocol = protocol;
    packet.has_transport = true;
    packet.target_port = port;
    enum decode_reason reason = dns_of_packet(&packet, &message, &found);
    if (found) {
        require(reason == (message.damaged ? DECODE_BAD_MESSAGE : DECODE_OK));
        check(&message);
    }
}

// The messages of a stream, one behind the other.
static void as_stream(const uint8_t *bytes, size_t size, bool last)
{
    struct dns_message message;
    size_t taken;
    for (;;) {
        enum dns_step step = dns_of_stream(bytes, size, last, &message, &taken);
        if (step == DNS_STEP_MESSAGE)
            check(&message);
        if (step != DNS_STEP_MESSAGE && step != DNS_STEP_SKIP)
            return;
        require(taken > 0 && taken <= size);
        bytes += taken;
        size -= taken;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint16_t ports[] = {53, 443, 5353};
    struct dns_message message;
    if (dns_parse(bytes, size, true, &message))
        check(&message);
    if (dns_parse(bytes, size, false, &message))
        check(&message);
    as_stream(bytes, size, false);
    as_stream(bytes, size, true);
    size_t taken;
    if (dns_of_other_stream(bytes, size, &message, &taken) == DNS_STEP_MESSAGE)
        check(&message);
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        as_packet(bytes, size, IP_PROTOCOL_UDP, ports[i]);
        as_packet(bytes, size, IP_PROTOCOL_TCP, ports[i]);
    }
    return 0;
}
