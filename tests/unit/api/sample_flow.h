// Flows for the tests of api/ and export/: one with every field set, one with none that can be unknown.
#pragma once

#include <string.h>

#include "aggregate/flow_event.h"
#include "decode/app/tls.h"
#include "decode/packet.h"

// What a hello offers as decode/app/offer.h writes it: versions 0x0301, h2, ciphers 47 and 53, extensions 0, 10 and 11,
// groups 23 and 24, format 0, no signatures.
#define SAMPLE_OFFER                                                                                         \
    "t\x80\x86\x81\x80\x86\x81"                                                                              \
    "dh2"                                                                                                    \
    "\x80\x80\xaf\x80\x80\xb5,"                                                                              \
    "\x80\x80\x80\x80\x80\x8a\x80\x80\x8b,"                                                                  \
    "\x80\x80\x97\x80\x80\x98,"                                                                              \
    "\x80\x80\x80,,"

static inline struct endpoint sample_endpoint(const char *address, uint16_t port)
{
    struct endpoint endpoint = {.port = port};
    address_parse(address, &endpoint.address);
    return endpoint;
}

static inline void sample_flow_full(struct flow_event *event)
{
    *event = (struct flow_event){
        .record =
            {
                .endpoint = {sample_endpoint("10.0.0.1", 40000), sample_endpoint("2001:db8::1", 443)},
                .first_seen_ns = INT64_C(1714564800123456789),
                .last_seen_ns = INT64_C(1714564802623456789),
                .end_ns = INT64_C(1714564862623456789),
                .began_ns = INT64_C(1714564800123456789),
                .packets = {10, 20},
                .bytes = {1000, UINT64_C(18014398509481985)},
                .retransmissions = {1, 2},
                .out_of_order = {3, 4},
                .zero_windows = {5, 6},
                .duplicate_acks = {7, 8},
                .bytes_missed = {9, 10},
                .duplicate_frames = {11, 12},
                .payload_bytes = {500, 600},
                .has_payload = true,
                .conn_state = CONN_STATE_S2,
                .history = "^hADFa",
                .rtt_far = {.last_ns = 1234567, .min_ns = 1000000, .ewma_ns = 1100001, .samples = 5},
                .rtt = {{.last_ns = 200000, .min_ns = 100000, .ewma_ns = 150000, .samples = 3},
                        {.last_ns = 1234567, .min_ns = 1000000, .ewma_ns = 1100001, .samples = 5}},
                .handshake_rtt_ns = 2500000,
                .record_seq = 2,
                .observed_at = {1, 2},
                .observed = 2,
                .vlan = 42,
                .has_vlan = true,
                .has_quality = true,
                .final = true,
                .protocol = IP_PROTOCOL_TCP,
                .tcp_state = TCP_STATE_FIN_WAIT,
                .reason = END_RUN,
                .client = 0,
                .client_from = CLIENT_SYN_ACK,
                .tcp_flags = {0x1b, 0x12},
                .tunnel = {.kind = TUNNEL_VXLAN,
                           .key_kind = TUNNEL_VXLAN,
                           .key = 77,
                           .id = 77,
                           .source = sample_endpoint("192.0.2.1", 0).address,
                           .target = sample_endpoint("192.0.2.2", 0).address},
                .facts = {.sni_status = SNI_COMPLETE,
                          .ech_offered = true,
                          .tls_version = 0x0304,
                          .app = FLOW_APP_DNS,
                          .dns_rcode = 3},
            },
        .text = {[FLOW_TEXT_SNI] = "example.com",
                 [FLOW_TEXT_ALPN] = "h2,http/1.1",
                 [FLOW_TEXT_OFFER] = SAMPLE_OFFER,
                 [FLOW_TEXT_DNS_QUERY] = "www.example.com",
                 [EVENT_TEXT_NODE] = "node-1",
                 [EVENT_TEXT_INTERFACE] = "eth0",
                 [EVENT_TEXT_NAME] = "client",
                 [EVENT_TEXT_NAME + 1] = "server",
                 [EVENT_TEXT_NAMESPACE] = "default",
                 [EVENT_TEXT_NAMESPACE + 1] = "shop",
                 [EVENT_TEXT_OBSERVED] = "veth1",
                 [EVENT_TEXT_OBSERVED + 1] = "cni0"},
        .name_source = {1, 2},
        .direction = 2,
        .community_id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
    };
}

static inline void sample_flow_empty(struct flow_event *event)
{
    *event = (struct flow_event){
        .record = {.endpoint = {sample_endpoint("10.0.0.1", 0), sample_endpoint("10.0.0.2", 0)},
                   .first_seen_ns = INT64_C(1714564800000000000),
                   .last_seen_ns = INT64_C(1714564800000000000),
                   .began_ns = INT64_C(1714564800000000000),
                   .packets = {1, 0},
                   .bytes = {60, 0},
                   .handshake_rtt_ns = -1,
                   .final = true,
                   .protocol = 253,
                   .client = -1,
                   .facts = flow_names_none.facts},
        .text = {[EVENT_TEXT_NODE] = "node-1", [EVENT_TEXT_INTERFACE] = "eth0"},
    };
}
