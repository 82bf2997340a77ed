#include "decode/app/tls.h"

#include <assert.h>

#include "decode/app/hello.h"
#include "decode/app/name_text.h"
#include "decode/app/offer.h"
#include "decode/app/openvpn.h"
#include "decode/app/tls_records.h"

static void take_server_name(const struct hello *hello, struct tls_hello *out)
{
    struct name_text text = {.text = out->sni, .room = sizeof out->sni};
    name_text_add(&text, hello->server_name.at, cursor_left(&hello->server_name), NAME_TEXT_UTF8);
    size_t length = name_text_end(&text);
    assert(length <= UINT8_MAX);
    out->sni_length = (uint8_t)length;
}

static enum sni_status sni_status_of(const struct hello *hello)
{
    if (cursor_left(&hello->server_name) > 0)
        return SNI_COMPLETE;
    return hello->complete ? SNI_ABSENT : SNI_TRUNCATED;
}

// As many whole names as fit.
static void join_protocols(const struct hello *hello, char into[TLS_ALPN_BYTES])
{
    struct cursor protocols = hello->protocols, protocol;
    struct name_text text = {.text = into, .room = TLS_ALPN_BYTES};
    size_t length = 0; // of the whole ones
    while (hello_next_protocol(&protocols, &protocol)) {
        if ((length > 0 && !name_text_add_plain(&text, ',')) ||
            !name_text_add(&text, protocol.at, cursor_left(&protocol), NAME_TEXT_UTF8))
            break;
        length = text.length;
    }
    text.length = length;
    name_text_end(&text);
}

bool tls_hello_parse(const uint8_t *bytes, size_t length, char transport, struct tls_hello *out)
{
    struct hello hello;
    if (!hello_read(bytes, length, transport, &hello))
        return false;
    out->legacy_version = hello.legacy_version;
    out->version = hello.complete ? hello.version : 0;
    out->complete = hello.complete;
    out->ech_offered = hello.has_ech;
    out->sni_status = (uint8_t)sni_status_of(&hello);
    take_server_name(&hello, out);
    join_protocols(&hello, out->alpn);
    out->offer[0] = '\0';
    if (hello.complete && hello.bytes <= HELLO_BYTES_MAX)
        offer_write(&hello, out->offer);
    return true;
}

// It has no extensions: neither a name nor what fingerprints are made of.
static bool parse_sslv2(const uint8_t *bytes, struct tls_hello *out)
{
    out->legacy_version = out->version = bytes_u16(bytes + 3);
    out->complete = true;
    out->ech_offered = false;
    out->sni_status = SNI_ABSENT;
    out->sni_length = 0;
    out->sni[0] = out->alpn[0] = out->offer[0] = '\0';
    return true;
}

bool tls_hello_of_stream(const uint8_t *bytes, size_t length, struct tls_hello *out)
{
    struct tls_records records;
    if (tls_sslv2_bytes(bytes, length) > 0)
        return parse_sslv2(bytes, out);
    if (openvpn_may_begin(bytes, length))
        return openvpn_hello_of_stream(bytes, length, out);
    if (!tls_records_begin(bytes, length))
        return false;
    tls_records_read(bytes, length, &records);
    return tls_hello_parse(records.message, records.length, 't', out);
}

bool tls_hello_of_packet(const struct packet *packet, struct tls_hello *out)
{
    if (packet->payload_captured == 0 || !packet->has_transport)
        return false;
    if (packet->ip_protocol == IP_PROTOCOL_UDP)
        return tls_may_be_in_datagram(packet) &&
               openvpn_hello_of_datagram(packet_payload(packet), packet->payload_captured, out);
    return packet->ip_protocol == IP_PROTOCOL_TCP &&
           tls_hello_of_stream(packet_payload(packet), packet->payload_captured, out);
}
