// ClientHellos, bare for each transport and as the payload of a TCP packet.
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
    size_t ja3 = strlen(hello->ja3), ja4 = strlen(hello->ja4);
    require(hello->sni[hello->sni_length] == '\0');
    require(memchr(hello->alpn, '\0', sizeof hello->alpn) != NULL);
    require(ja3 == 0 || (hello->complete && ja3 == JA3_TEXT_BYTES - 1));
    require(ja4 == 0 || (hello->complete && ja4 == JA4_TEXT_BYTES - 1));
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
    struct packet packet;
    memset(&packet, 0, sizeof packet);
    packet.bytes = bytes;
    packet.payload_captured = packet.payload_length = (uint32_t)size;
    packet.ip_protocol = IP_PROTOCOL_TCP;
    packet.has_transport = true;
    if (tls_hello_of_packet(&packet, &hello))
        check(&hello);
    return 0;
}
