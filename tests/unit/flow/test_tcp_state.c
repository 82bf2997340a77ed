#include "flow/tcp.h"

#include "packets.h"

enum { CLIENT = 0, SERVER = 1 };

static enum tcp_state track(struct flow *flow, int direction, uint8_t flags)
{
    struct packet packet = {.tcp = {.flags = flags}};
    tcp_track_state(flow, &packet, direction);
    return flow->tcp_state;
}

static void open_flow(struct flow *flow)
{
    cr_assert_eq(track(flow, CLIENT, TCP_SYN), TCP_STATE_SYN_SENT);
    cr_assert_eq(track(flow, SERVER, TCP_SYN | TCP_ACK), TCP_STATE_SYN_ACK);
    cr_assert_eq(track(flow, CLIENT, TCP_ACK), TCP_STATE_ESTABLISHED);
}

Test(tcp_state, follows_the_handshake)
{
    struct flow flow = {0};
    open_flow(&flow);
    cr_expect_eq(track(&flow, SERVER, TCP_ACK | TCP_PSH), TCP_STATE_ESTABLISHED);
    cr_expect_eq(flow.tcp_flags[CLIENT], TCP_SYN | TCP_ACK);
    cr_expect_eq(flow.tcp_flags[SERVER], TCP_SYN | TCP_ACK | TCP_PSH);
}

Test(tcp_state, is_not_moved_by_repetitions)
{
    struct flow flow = {0};
    cr_expect_eq(track(&flow, CLIENT, TCP_SYN), TCP_STATE_SYN_SENT);
    cr_expect_eq(track(&flow, CLIENT, TCP_SYN), TCP_STATE_SYN_SENT);
    cr_expect_eq(track(&flow, SERVER, TCP_SYN | TCP_ACK), TCP_STATE_SYN_ACK);
    cr_expect_eq(track(&flow, CLIENT, TCP_SYN), TCP_STATE_SYN_ACK);
    cr_expect_eq(track(&flow, SERVER, TCP_SYN | TCP_ACK), TCP_STATE_SYN_ACK);
    cr_expect_eq(track(&flow, CLIENT, TCP_ACK), TCP_STATE_ESTABLISHED);
    cr_expect_eq(track(&flow, SERVER, TCP_SYN | TCP_ACK), TCP_STATE_ESTABLISHED);
}

Test(tcp_state, closes_when_both_sides_did)
{
    for (int first = 0; first < 2; first++) {
        struct flow flow = {0};
        open_flow(&flow);
        cr_expect_eq(track(&flow, first, TCP_FIN | TCP_ACK), TCP_STATE_FIN_WAIT);
        cr_expect_eq(track(&flow, first, TCP_FIN | TCP_ACK), TCP_STATE_FIN_WAIT, "the same side again");
        cr_expect_eq(track(&flow, !first, TCP_ACK), TCP_STATE_FIN_WAIT,
                     "half-closed, the other side goes on");
        cr_expect_eq(track(&flow, !first, TCP_FIN | TCP_ACK), TCP_STATE_CLOSED);
        cr_expect_eq(track(&flow, first, TCP_ACK), TCP_STATE_CLOSED);
    }
}

Test(tcp_state, is_reset_at_any_time_but_after_an_orderly_end)
{
    struct flow flow = {0};
    track(&flow, CLIENT, TCP_SYN);
    cr_expect_eq(track(&flow, SERVER, TCP_RST | TCP_ACK), TCP_STATE_RESET);
    cr_expect_eq(track(&flow, CLIENT, TCP_ACK), TCP_STATE_RESET, "for good");
    cr_expect_eq(track(&flow, CLIENT, TCP_FIN | TCP_ACK), TCP_STATE_RESET);

    flow = (struct flow){0};
    open_flow(&flow);
    track(&flow, CLIENT, TCP_FIN | TCP_ACK);
    cr_expect_eq(track(&flow, SERVER, TCP_RST), TCP_STATE_RESET, "one side only had closed");

    flow = (struct flow){0};
    open_flow(&flow);
    track(&flow, CLIENT, TCP_FIN | TCP_ACK);
    track(&flow, SERVER, TCP_FIN | TCP_ACK);
    cr_expect_eq(track(&flow, CLIENT, TCP_RST), TCP_STATE_CLOSED);
    cr_expect(flow.tcp_flags[CLIENT] & TCP_RST, "but it is noted");
}

Test(tcp_state, is_unknown_until_somebody_talks_again)
{
    for (int second = 0; second < 2; second++) {
        struct flow flow = {0};
        cr_expect_eq(track(&flow, CLIENT, TCP_ACK), TCP_STATE_UNKNOWN, "may be a probe");
        cr_expect_eq(track(&flow, second, TCP_ACK | TCP_PSH), TCP_STATE_ESTABLISHED);
    }
}

// Each half of a working connection, as where only one direction is captured.
Test(tcp_state, is_established_by_either_side_alone)
{
    struct flow client = {0}, server = {0};
    track(&client, CLIENT, TCP_SYN);
    cr_expect_eq(track(&client, CLIENT, TCP_ACK), TCP_STATE_ESTABLISHED);
    cr_expect_eq(track(&client, CLIENT, TCP_FIN | TCP_ACK), TCP_STATE_FIN_WAIT);
    track(&server, SERVER, TCP_SYN | TCP_ACK);
    cr_expect_eq(track(&server, SERVER, TCP_ACK), TCP_STATE_ESTABLISHED);
    cr_expect_eq(track(&server, SERVER, TCP_FIN | TCP_ACK), TCP_STATE_FIN_WAIT);
}

Test(tcp_state, is_closed_by_a_fin_behind_the_reset_of_who_closed)
{
    struct flow flow = {0};
    open_flow(&flow);
    track(&flow, CLIENT, TCP_FIN | TCP_ACK);
    cr_expect_eq(track(&flow, CLIENT, TCP_RST), TCP_STATE_RESET);
    cr_expect_eq(track(&flow, SERVER, TCP_FIN | TCP_ACK), TCP_STATE_CLOSED);
}

Test(tcp_state, joins_at_the_syn_ack)
{
    struct flow flow = {0};
    cr_expect_eq(track(&flow, SERVER, TCP_SYN | TCP_ACK), TCP_STATE_SYN_ACK);
    cr_expect_eq(track(&flow, SERVER, TCP_SYN | TCP_ACK), TCP_STATE_SYN_ACK);
    cr_expect_eq(track(&flow, CLIENT, TCP_ACK), TCP_STATE_ESTABLISHED);
}

Test(tcp_state, does_not_need_the_syn_ack)
{
    struct flow flow = {0};
    track(&flow, CLIENT, TCP_SYN);
    cr_expect_eq(track(&flow, CLIENT, TCP_ACK), TCP_STATE_ESTABLISHED, "it answers one");
}

// A SYN to a connection that the other side still has open is answered with a bare ACK, and then reset.
Test(tcp_state, is_not_established_by_a_challenge)
{
    struct flow flow = {0};
    track(&flow, CLIENT, TCP_SYN);
    cr_expect_eq(track(&flow, SERVER, TCP_ACK), TCP_STATE_SYN_SENT);
    cr_expect_eq(track(&flow, CLIENT, TCP_RST), TCP_STATE_RESET);
}

// Reuse: asked with the quality part, which knows the first sequence number.
struct reuse {
    struct test_table test;
    struct flow *flow;
};

static void feed_segment(struct reuse *reuse, uint8_t from, uint8_t flags, uint32_t sequence)
{
    struct packet packet =
        from == 1 ? tcp_packet(1, 40000, 2, 443, flags, 0) : tcp_packet(2, 443, 1, 40000, flags, 0);
    packet.tcp.sequence = sequence;
    reuse->flow = feed(&reuse->test, &packet).flow;
}

static bool is_reuse(const struct reuse *reuse, uint8_t from, uint8_t flags, uint32_t sequence)
{
    struct packet packet = tcp_packet(1, 40000, 2, 443, flags, 0);
    packet.tcp.sequence = sequence;
    return tcp_kin(&reuse->test.table.store, reuse->flow, &packet, from == 1 ? 0 : 1, 0) == TCP_KIN_NEXT;
}

Test(tcp_reuse, takes_an_ended_flow_and_another_sequence)
{
    struct reuse reuse;
    test_table_init(&reuse.test, test_policy());
    feed_segment(&reuse, 1, TCP_SYN, 100);
    cr_expect_not(is_reuse(&reuse, 1, TCP_SYN, 200), "open");
    feed_segment(&reuse, 2, TCP_RST | TCP_ACK, 0);
    cr_expect_not(is_reuse(&reuse, 1, TCP_SYN, 100), "its own SYN again");
    cr_expect(is_reuse(&reuse, 1, TCP_SYN, 200));
    cr_expect(is_reuse(&reuse, 2, TCP_SYN, 100), "from the side that sent none");
    cr_expect_not(is_reuse(&reuse, 1, TCP_SYN | TCP_ACK, 200));
    cr_expect_not(is_reuse(&reuse, 1, TCP_SYN | TCP_RST, 200));
    cr_expect_not(is_reuse(&reuse, 1, TCP_ACK, 200));
    test_table_done(&reuse.test);
}
