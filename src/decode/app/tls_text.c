#include <stdio.h>
#include <string.h>

#include "decode/app/tls.h"

enum { TEXT_BYTES = 12, DRAFTS_OF_TLS_1_3 = 0x7f00, DRAFTS = 100 };

static const struct {
    uint16_t version;
    const char *name;
} versions[] = {
    {0x0002, "SSL 2.0"},  {0x0300, "SSL 3.0"},  {0x0301, "TLS 1.0"},
    {0x0302, "TLS 1.1"},  {0x0303, "TLS 1.2"},  {0x0304, "TLS 1.3"},
    {0xfeff, "DTLS 1.0"}, {0xfefd, "DTLS 1.2"}, {0xfefc, "DTLS 1.3"},
};
enum { VERSIONS = sizeof versions / sizeof versions[0] };

const char *tls_version_name(uint16_t version, char into[TEXT_BYTES])
{
    for (int i = 0; i < VERSIONS; i++)
        if (versions[i].version == version)
            return versions[i].name;
    if ((version & 0xff00) == DRAFTS_OF_TLS_1_3)
        snprintf(into, TEXT_BYTES, "TLS 1.3 d%u", (version & 0xffu) % DRAFTS);
    else
        snprintf(into, TEXT_BYTES, "0x%04x", version);
    return into;
}

bool tls_version_parse(const char *text, uint32_t *version)
{
    char name[TEXT_BYTES];
    unsigned number;
    for (int i = 0; i < VERSIONS; i++)
        if (strcmp(text, versions[i].name) == 0) {
            *version = versions[i].version;
            return true;
        }
    if (sscanf(text, "TLS 1.3 d%2u", &number) == 1)
        number |= DRAFTS_OF_TLS_1_3;
    else if (sscanf(text, "0x%4x", &number) != 1)
        return false;
    *version = number;
    return number <= UINT16_MAX && strcmp(text, tls_version_name((uint16_t)number, name)) == 0;
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
