#include "wire.h"

Test(table, every_row_is_filled)
{
    for (unsigned id = DECODER_NONE + 1; id < DECODERS; id++) {
        cr_expect_not_null(decoders[id].name);
        cr_expect_not_null(decoders[id].decode);
        cr_expect_neq(decoders[id].layer, DECODE_LAYER_NONE);
    }
}

Test(table, names_link_types)
{
    cr_expect_str_eq(link_type_name(1), "EN10MB");
    cr_expect_str_eq(link_type_name(276), "LINUX_SLL2");
    cr_expect_null(link_type_name(195));
}

Test(table, raw_ip_has_five_numbers)
{
    static const uint16_t raw[] = {12, 14, 101, 228};
    for (unsigned i = 0; i < sizeof raw / sizeof raw[0]; i++) {
        struct packet packet =
            wire_decode(raw[i], IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008"));
        expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    }
    struct packet six = wire_decode(229, IPV6_HEADER("0008", "11") UDP_HEADER("1000", "2000", "0008"));
    expect_flow(&six, "[2001:db8::1]:4096", "[2001:db8::2]:8192");
}
