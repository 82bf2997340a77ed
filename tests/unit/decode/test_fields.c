#include "decode/fields.h"

#include "wire.h"

static struct fields fields;

static void describe(struct packet packet)
{
    fields_init(&fields);
    decode_packet(&packet, &(struct decode_options){.tunnels = true});
    fields_of_packet(&fields, &packet);
}

static const struct field *find(const char *layer, const char *name)
{
    bool inside = false;
    for (unsigned i = 0; i < fields.count; i++) {
        const struct field *field = &fields.items[i];
        if (field->depth == 0)
            inside = strcmp(field_name(&fields, field), layer) == 0;
        if (inside && strcmp(field_name(&fields, field), name) == 0)
            return field;
    }
    return NULL;
}

static void expect_field(const char *layer, const char *name, const char *value)
{
    const struct field *field = find(layer, name);
    cr_assert_not_null(field, "%s / %s", layer, name);
    cr_expect_str_eq(field_value(&fields, field), value, "%s / %s: %s", layer, name,
                     field_value(&fields, field));
}

Test(fields, tree_of_a_syn)
{
    describe(wire_capture("mail-retransmissions.pcap", 3));
    expect_field("Frame", "Link type", "EN10MB (1)");
    expect_field("Ethernet", "Type", "IPv4 (0x0800)");
    expect_field("IPv4", "Protocol", "tcp (6)");
    expect_field("IPv4", "Source", "10.10.1.4");
    expect_field("TCP", "Source port", "1470");
    expect_field("TCP", "Flags", "0x02 (SYN)");
    expect_field("TCP", "Maximum segment size", "1460");
    const struct field *port = find("TCP", "Destination port");
    cr_expect_eq(port->offset, 14 + 20 + 2);
    cr_expect_eq(port->length, 2);
    cr_expect_eq(port->depth, 1);
    fields_done(&fields);
}

Test(fields, tags_and_sessions)
{
    describe(wire_capture("pppoe-qinq.pcap", 4));
    expect_field("VLAN", "Id", "3704");
    expect_field("PPPoE", "Code", "0");
    expect_field("PPP", "Protocol", "IPv4 (0x0021)");
    expect_field("TLS ClientHello", "Server name", "xp.apple.com");
    fields_done(&fields);
}

Test(fields, dns_answer)
{
    describe(wire_capture("mail-retransmissions.pcap", 2));
    expect_field("DNS", "Name", "mail.patriots.in");
    expect_field("DNS", "Response code", "NOERROR");
    fields_done(&fields);
}

Test(fields, tunnels_and_extensions)
{
    describe(wire_capture("geneve.pcap", 1));
    expect_field("Geneve", "Network identifier", "786734");
    fields_done(&fields);
    describe(wire_capture("gtp-u.pcap", 1));
    expect_field("GTP-U", "Tunnel endpoint", "0x00000001");
    fields_done(&fields);
    describe(wire_capture("ipv6-fragments.pcap", 13));
    cr_expect_not_null(find("IPv6", "Extension header"));
    fields_done(&fields);
}

Test(fields, every_cut_of_a_frame_is_described)
{
    const struct packet whole = wire_keep(wire_capture("geneve.pcap", 4));
    fields_init(&fields);
    for (uint32_t captured = 0; captured <= whole.captured; captured++) {
        struct packet packet = wire_cut(&whole, captured);
        decode_packet(&packet, &(struct decode_options){.tunnels = true});
        fields_of_packet(&fields, &packet);
        for (unsigned i = 0; i < fields.count; i++)
            cr_expect_leq(fields.items[i].offset + fields.items[i].length, captured);
    }
    fields_done(&fields);
}

// Found by the fuzzer: the checksum of a header that says it has four bytes.
Test(fields, header_shorter_than_it_can_be)
{
    describe(wire_hex(LINK_IPV4, "4100001c1234000040110000 0a000001"));
    expect_field("IPv4", "Header length", "4");
    fields_done(&fields);
    describe(wire_hex(LINK_ETHERNET, MACS "0800 41000014123400004011000000000000"));
    expect_field("IPv4", "Total length", "20");
    fields_done(&fields);
}

Test(fields, detail_is_indented_text)
{
    struct packet packet = wire_decode_capture("gre.pcap", 1);
    struct strbuf text;
    fields_init(&fields);
    strbuf_init(&text, 100000);
    packet_add_detail(&text, &packet, &fields);
    cr_expect_not_null(strstr(text.text, "TCP\n  Source port: 44444\n  Destination port: 80\n"));
    strbuf_done(&text);
    fields_done(&fields);
}

Test(fields, text_is_safe_and_bounded)
{
    static const uint8_t bytes[1] = {0};
    fields_init(&fields);
    fields.base = bytes;
    fields_add(&fields, 1, "Name", bytes, 1, "%s", "a\x1b[31m\nb");
    cr_expect_str_eq(field_value(&fields, &fields.items[0]), "a\\x1b[31m\\x0ab");
    for (unsigned i = 0; i < 2 * FIELDS_MAXIMUM; i++)
        fields_add(&fields, 1, "More", bytes, 1, "%u", i);
    cr_expect_eq(fields.count, FIELDS_MAXIMUM);
    fields_done(&fields);
}
