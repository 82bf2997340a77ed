#include <stdio.h>

#include "decode/app/tls.h"

enum { TEXT_BYTES = 12, DRAFT_OF_TLS_1_3 = 0x7f };

const char *tls_version_name(uint16_t version, char into[TEXT_BYTES])
{
    switch (version) {
    case 0x0002:
        return "SSL 2.0";
    case 0x0300:
        return "SSL 3.0";
    case 0x0301:
        return "TLS 1.0";
    case 0x0302:
        return "TLS 1.1";
    case 0x0303:
        return "TLS 1.2";
    case 0x0304:
        return "TLS 1.3";
    case 0xfeff:
        return "DTLS 1.0";
    case 0xfefd:
        return "DTLS 1.2";
    case 0xfefc:
        return "DTLS 1.3";
    default:
        break;
    }
    if (version >> 8 == DRAFT_OF_TLS_1_3)
        snprintf(into, TEXT_BYTES, "TLS 1.3 d%u", (version & 0xffu) % 100);
    else
        snprintf(into, TEXT_BYTES, "0x%04x", version);
    return into;
}

const char *sni_status_name(enum sni_status status)
{
    static const char *const names[] = {
        [SNI_UNKNOWN] = "unknown",     [SNI_COMPLETE] = "complete", [SNI_REASSEMBLED] = "reassembled",
        [SNI_TRUNCATED] = "truncated", [SNI_GAP] = "gap",           [SNI_ABSENT] = "absent",
    };
    bool known = (size_t)status < sizeof names / sizeof names[0] && names[status] != NULL;
    return names[known ? status : SNI_UNKNOWN];
}
