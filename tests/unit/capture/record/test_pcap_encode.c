#include "capture/record/pcap_encode.h"

#include <criterion/criterion.h>

#include "capture/file/pcapng_file.h"

Test(pcap_encode, no_frame_takes_more_than_its_bound)
{
    static struct pcap_encoder encoder;
    static uint8_t into[4096], bytes[64];
    static struct source_interface interface = {.link_type = 1};
    memset(interface.name, 'n', sizeof interface.name - 1);
    for (int format = PCAP_FORMAT_CLASSIC; format <= PCAP_FORMAT_PCAPNG; format++)
        for (uint32_t captured = 0; captured < 64; captured++) {
            pcap_encoder_init(&encoder, (enum pcap_format)format);
            struct frame frame = {.bytes = bytes, .captured = captured, .length = captured, .link_type = 1};
            size_t first = pcap_encoder_frame(&encoder, &frame, &interface, into);
            cr_assert_leq(first, pcap_encoder_bound(captured));
            size_t second = pcap_encoder_frame(&encoder, &frame, &interface, into);
            cr_assert(second > 0 && second < first, "headers come once");
        }
}

Test(pcap_encode, times_out_of_range_are_clamped)
{
    static struct pcap_encoder encoder;
    uint8_t into[1024];
    struct source_interface interface = {.name = "x"};
    struct frame frame = {.bytes = into, .link_type = 1, .time_ns = INT64_MAX};
    pcap_encoder_init(&encoder, PCAP_FORMAT_CLASSIC);
    pcap_encoder_header(&encoder, 1, into);
    cr_assert_eq(pcap_encoder_frame(&encoder, &frame, &interface, into), 16);
    cr_assert_eq(memcmp(into, "\xff\xff\xff\xff", 4), 0);
    frame.time_ns = -1;
    pcap_encoder_frame(&encoder, &frame, &interface, into);
    cr_assert_eq(memcmp(into, "\0\0\0\0\0\0\0\0", 8), 0);
}
