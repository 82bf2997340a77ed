#include "decode/fields.h"

#include "wire.h"

Test(hex, rows_of_sixteen)
{
    uint8_t bytes[19];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(0x30 + i);
    bytes[1] = 0x1b;
    bytes[2] = 0xff;
    struct strbuf text;
    strbuf_init(&text, 1000);
    packet_add_hex(&text, bytes, sizeof bytes);
    cr_expect_str_eq(text.text, "000000  30 1b ff 33 34 35 36 37  38 39 3a 3b 3c 3d 3e 3f  0..3456789:;<=>?\n"
                                "000010  40 41 42                                          @AB\n");
    strbuf_done(&text);
}

Test(hex, nothing)
{
    struct strbuf text;
    strbuf_init(&text, 1000);
    packet_add_hex(&text, NULL, 0);
    cr_expect_str_eq(text.text, "");
    strbuf_done(&text);
}
