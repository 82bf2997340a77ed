// ClientHellos, bare for each transport and as the payload of a TCP or UDP packet, in OpenVPN's too.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "decode/app/tls.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check(const struct tls_hello *hello)
{
    char text[12];
    char ja3[JA3_TEXT_BYTES], ja4[JA4_TEXT_BYTES];
    tls_ja3(hello->offer, ja3);
    tls_ja4(hello->offer, ja4);
    require(strlen(hello->sni) == hello->sni_length);
    require(memchr(hello->alpn, '\0', sizeof hello->alpn) != NULL);
    bool offered = hello->offer[0] != '\0';
    require(!offered || hello->complete);
    require(strlen(ja3) == (offered ? JA3_TEXT_BYTES - 1 : 0));
    require(strlen(ja4) == (offered ? JA4_TEXT_BYTES - 1 : 0));
    require(hello->complete || hello->version == 0);
    require(hello->sni_status != SNI_ABSENT || hello->complete);
    require(strlen(tls_version_name(hello->version, text)) < 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char transports[] = {'t', 'q', 'd'};
    struct tls_hello hello;
    for (size_t i = 0; i < sizeof transports; i++)
        if (tls_hello_parse(bytes, size, transports[i], &hello))
            check(&hello);
    enum tls_extent extent = tls_hello_extent(bytes, size);
    require(extent == TLS_EXTENT_NONE || tls_may_begin(bytes, size));
    if (tls_hello_of_stream(bytes, size, &hello)) {
        require(extent != TLS_EXTENT_NONE);
        check(&hello);
    }
    struct packet packet;
    memset(&packet, 0, sizeof packet);
    packet.bytes = bytes;
    packet.payload_captured = packet.payload_length = (uint32_t)size;
    packet.has_transport = true;
    packet.ip_protocol = IP_PROTOCOL_TCP;
    if (tls_hello_of_packet(&packet, &hello))
        check(&hello);
    packet.ip_protocol = IP_PROTOCOL_UDP;
    if (tls_hello_of_packet(&packet, &hello))
        check(&hello);
    return 0;
}
