#include "wire_bytes.h"

#define LIST_FLOWS &netscope__v1__list_flows_request__descriptor

static void refused(const uint8_t *bytes, size_t length, const char *field, const char *part)
{
    cr_expect_null(gate_open(LIST_FLOWS, bytes, length, &status));
    expect_violation(field, part);
}

Test(gate, what_is_right_passes)
{
    // allow[0].client {networks "10.0.0.0/8", ports [{min 1}]}, vlans packed, order, page_size
    ProtobufCMessage *message = gate_open(LIST_FLOWS,
                                          BYTES("\x0a\x18\x0a\x12\x0a\x0a"
                                                "10.0.0.0/8"
                                                "\x12\x04\x08\x01\x10\x02\x42\x02\x05\x06\x18\x02\x30\x07"),
                                          &status);
    cr_assert_not_null(message, "%s", status.message);
    const Netscope__V1__ListFlowsRequest *request = (const Netscope__V1__ListFlowsRequest *)message;
    cr_expect_eq(request->n_allow, 1);
    cr_expect_str_eq(request->allow[0]->client->networks[0], "10.0.0.0/8");
    cr_expect_eq(request->allow[0]->client->ports[0]->max, 2);
    cr_expect_eq(request->allow[0]->n_vlans, 2);
    cr_expect_eq(request->order, NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_PACKETS);
    cr_expect_eq(request->page_size, 7);
    gate_free(message);
    message = gate_open(LIST_FLOWS, BYTES(""), &status);
    cr_expect_not_null(message);
    gate_free(message);
    gate_free(NULL);
}

Test(gate, a_field_that_is_not_known_is_refused)
{
    refused(BYTES("\x78\x01"), "", "field 15 of ListFlowsRequest is not known");
    refused(BYTES("\x0a\x05\x0a\x03\xf8\x06\x01"), "allow[0].client", "field 111 of EndpointFilter");
    refused(BYTES("\xf8\xff\xff\xff\xff\x0f\x01"), "", "is not known"); // a number beyond all that there are
}

Test(gate, text_is_utf8_without_nul)
{
    refused(BYTES("\x3a\x0c"
                  "default\0evil"),
            "page_token", "NUL");
    refused(BYTES("\x3a\x02\xc3\x28"), "page_token", "no UTF-8");
    refused(BYTES("\x3a\x01\xc3"), "page_token", "no UTF-8");
    refused(BYTES("\x0a\x05\x2a\x00\x2a\x01\xff"), "allow[0].protocols[1]", "no UTF-8");
}

Test(gate, values_are_of_their_type)
{
    refused(BYTES("\x18\x63"), "order", "99 is no value");
    refused(BYTES("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "order", "-1 is no value");
    refused(BYTES("\x20\x02"), "reverse", "true or false");
    refused(BYTES("\x30\xff\xff\xff\xff\x1f"), "page_size", "more than 32 bits");
    refused(BYTES("\x1a\x01\x01"), "order", "another type");
    refused(BYTES("\x38\x01"), "page_token", "another type");
    refused(BYTES("\x0a\x05\x42\x03\x05\xff\xff"), "allow[0]", "ends in the middle");
    refused(BYTES("\x0a\x04\x32\x02\x01\x63"), "allow[0].tcp_states[1]", "99 is no value");
}

Test(gate, nothing_is_given_twice)
{
    refused(BYTES("\x18\x01\x18\x02"), "order", "given twice");
    refused(BYTES("\x0a\x04\x0a\x00\x0a\x00"), "allow[0].client", "given twice");
    refused(BYTES("\x0a\x08\x62\x06\x0a\x01"
                  "a"
                  "\x12\x01"
                  "b"),
            "allow[0].names[0].domain", "stands for the same");
}

Test(gate, broken_bytes_are_no_message)
{
    refused(BYTES("\x18"), "", "ends in the middle");
    refused(BYTES("\x0a\x05\x01"), "", "ends in the middle");
    refused(BYTES("\x00\x01"), "", "has no number");
    refused(BYTES("\xff"), "", "has no number");
    refused(BYTES("\x0b\x0c"), "", "ends in the middle"); // a group
    refused(BYTES("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "", "ends in the middle");
    refused(BYTES("\x1d\x01\x02\x03"), "", "ends in the middle");
}

Test(gate, all_wrong_fields_are_named_up_to_a_bound)
{
    cr_expect_not(gate_check(LIST_FLOWS, BYTES("\x18\x63\x20\x02\x3a\x01\xff\x78\x01"), &status));
    cr_expect_eq(status.violation_count, 4);
    cr_expect_str_eq(status.message, "order: 99 is no value of it that is known here");
    uint8_t many[2 * 100];
    for (unsigned i = 0; i < sizeof many; i += 2)
        memcpy(many + i, "\x78\x01", 2);
    cr_expect_not(gate_check(LIST_FLOWS, many, sizeof many, &status));
    cr_expect_eq(status.violation_count, STATUS_VIOLATIONS);
}

Test(gate, sizes_are_bounded)
{
    static uint8_t bytes[GATE_BYTES + 1];
    for (unsigned i = 0; i + 1 < sizeof bytes; i += 2)
        memcpy(bytes + i, "\x0a\x00", 2); // empty filters
    cr_expect_not(gate_check(LIST_FLOWS, bytes, GATE_BYTES, &status));
    expect_violation("allow[256]", "more than 256 items");
    cr_expect_eq(status.violation_count, 1, "told once");
    cr_expect(gate_check(LIST_FLOWS, bytes, 2 * GATE_ITEMS, &status));
    cr_expect_not(gate_check(LIST_FLOWS, bytes, GATE_BYTES + 1, &status));
    cr_expect_eq(status.code, STATUS_RESOURCE_EXHAUSTED);
    cr_expect_str_eq(status.reason, "REQUEST_TOO_LARGE");
}

Test(gate, parts_are_counted_in_all)
{
    // Filters of 200 port ranges each: none has too many, all together do.
    static uint8_t bytes[GATE_BYTES];
    size_t length = 0;
    for (unsigned filter = 0; filter < 16; filter++) {
        memcpy(bytes + length, "\x0a\x93\x03\x0a\x90\x03", 6);
        length += 6;
        for (unsigned i = 0; i < 200; i++, length += 2)
            memcpy(bytes + length, "\x12\x00", 2);
    }
    cr_expect_not(gate_check(LIST_FLOWS, bytes, length, &status));
    cr_expect_eq(status.violation_count, 1);
    cr_expect_not_null(strstr(status.message, "more than 2048 parts"), "%s", status.message);
}

// A message that holds itself, as none of ours does: the depth is bounded all the same.
static ProtobufCMessageDescriptor nested;
static const ProtobufCFieldDescriptor nested_fields[] = {{.name = "in",
                                                          .id = 1,
                                                          .label = PROTOBUF_C_LABEL_REPEATED,
                                                          .type = PROTOBUF_C_TYPE_MESSAGE,
                                                          .descriptor = &nested}};
static const ProtobufCIntRange nested_ranges[] = {{1, 0}, {0, 1}};

Test(gate, depth_is_bounded)
{
    uint8_t bytes[2 * GATE_DEPTH];
    nested = (ProtobufCMessageDescriptor){.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
                                          .short_name = "Nested",
                                          .n_fields = 1,
                                          .fields = nested_fields,
                                          .n_field_ranges = 1,
                                          .field_ranges = nested_ranges};
    for (unsigned i = 0; i < GATE_DEPTH; i++) {
        bytes[2 * i] = 0x0a;
        bytes[2 * i + 1] = (uint8_t)(2 * (GATE_DEPTH - 1 - i));
    }
    cr_expect_not(gate_check(&nested, bytes, sizeof bytes, &status));
    cr_expect_not_null(strstr(status.message, "deeper than 8"), "%s", status.message);
    cr_expect(gate_check(&nested, bytes + 2, sizeof bytes - 2, &status));
}
