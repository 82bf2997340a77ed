#include "capture/link_type.h"

#include <stddef.h>

#include <pcap/dlt.h>

static const struct {
    uint16_t link_type;
    int dlt;
} differing[] = {
    {50, DLT_PPP_SERIAL}, {51, DLT_PPP_ETHER}, {100, DLT_ATM_RFC1483}, {101, DLT_RAW}, {102, DLT_SLIP_BSDOS},
    {103, DLT_PPP_BSDOS}, {104, DLT_C_HDLC},   {106, DLT_ATM_CLIP},    {109, DLT_ENC}, {246, DLT_PFSYNC},
};

enum { DIFFERING = sizeof differing / sizeof *differing };

int link_type_to_dlt(uint16_t link_type)
{
    for (size_t i = 0; i < DIFFERING; i++)
        if (differing[i].link_type == link_type)
            return differing[i].dlt;
    return link_type;
}

uint16_t link_type_of_dlt(int dlt)
{
    for (size_t i = 0; i < DIFFERING; i++)
        if (differing[i].dlt == dlt)
            return differing[i].link_type;
    return (uint16_t)dlt;
}
