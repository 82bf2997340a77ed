// Connections with TLS, and who may make them.
#include "certificates.h"
#include "http2_frames.h"
#include "open_door.h"

static struct identity authority, server, caller, stranger;
static const struct client_options nothing = {0};

static void begin_tls(void)
{
    begin();
    make_folder();
    authority = make_identity(NULL, NULL, 10);
    server = make_identity(&authority, "DNS:localhost", 5);
    caller =
        make_identity(&authority, "DNS:shop.example,URI:spiffe://cluster/ns/shop,IP:10.0.0.1,email:a@b.c", 5);
    stranger = make_identity(NULL, "DNS:shop.example", 5);
    write_certificate(&authority, "ca.pem");
    write_certificate(&server, "cert.pem");
    write_key(&server, "key.pem");
    settings.tls.enabled = true;
    settings.tls.cert_path = in_folder("cert.pem");
    settings.tls.key_path = in_folder("key.pem");
}

static void end_tls(void)
{
    end();
    drop_identity(&authority);
    drop_identity(&server);
    drop_identity(&caller);
    drop_identity(&stranger);
    drop_folder();
}

TestSuite(tls, .init = begin_tls, .fini = end_tls, .timeout = 60);

static SSL *connect_with(const struct client_options *options)
{
    return shake_hands(connect_port(), options);
}

static SSL *connect_tls(void)
{
    SSL *client = connect_with(&nothing);
    cr_assert(client != NULL);
    return client;
}

static void write_tls(SSL *client, const void *bytes, int length)
{
    cr_assert_eq(SSL_write(client, bytes, length), length);
}

static void expect_tls(SSL *client, const char *text)
{
    char got[64];
    for (size_t have = 0; have < strlen(text);) {
        int more = SSL_read(client, got + have, (int)(strlen(text) - have));
        cr_assert(more > 0);
        have += (size_t)more;
        cr_assert_eq(memcmp(got, text, have), 0);
    }
}

// Whether the door let it in: its transport got it.
static bool is_let_in(const struct client_options *options)
{
    char byte;
    SSL *client = connect_with(options);
    if (client == NULL)
        return false;
    struct pollfd ends[] = {{.fd = handed_on[0], .events = POLLIN},
                            {.fd = SSL_get_fd(client), .events = POLLIN}};
    cr_assert(poll(ends, 2, PATIENCE_MS) > 0);
    bool in = (ends[0].revents & POLLIN) != 0;
    if (in)
        close(taken());
    cr_expect(SSL_read(client, &byte, 1) <= 0);
    expect_closed(SSL_get_fd(client));
    drop_client(client);
    return in;
}

Test(tls, passes_bytes_on_both_ways)
{
    open_door(DOOR_HTTP1);
    SSL *client = connect_tls();
    int transport = taken();
    struct peer peer;
    write_tls(client, "question", 8);
    expect_text(transport, "question");
    send_text(transport, "answer");
    expect_tls(client, "answer");
    cr_expect(door_peer(door, transport, &peer) && peer.tls && peer.name_count == 0);
    drop_client(client);
    expect_end(transport);
    close(transport);
}

Test(tls, passes_on_the_end_of_one_direction_alone)
{
    char byte;
    open_door(DOOR_HTTP1);
    SSL *client = connect_tls();
    int transport = taken();
    write_tls(client, "all", 3);
    SSL_shutdown(client);
    expect_text(transport, "all");
    expect_end(transport);
    send_text(transport, "still");
    close(transport);
    expect_tls(client, "still");
    cr_expect_eq(SSL_read(client, &byte, 1), 0);
    cr_expect_eq(SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    drop_client(client);
}

// Sixteen MiB each way, the answer to each piece before the next.
Test(tls, passes_on_much)
{
    static char piece[1 << 18], back[1 << 18];
    open_door(DOOR_HTTP1);
    SSL *client = connect_tls();
    int transport = taken();
    for (int round = 0; round < 64; round++) {
        memset(piece, round, sizeof piece);
        write_tls(client, piece, sizeof piece);
        for (size_t at = 0; at < sizeof piece; at += 32768)
            expect_bytes(transport, piece + at, 32768);
        send_bytes(transport, piece, 65536);
        for (size_t have = 0; have < 65536;) {
            int more = SSL_read(client, back + have, (int)(65536 - have));
            cr_assert(more > 0);
            have += (size_t)more;
        }
        cr_assert_eq(memcmp(piece, back, 65536), 0);
    }
    drop_client(client);
    close(transport);
}

Test(tls, speaks_1_2_and_1_3_only)
{
    open_door(DOOR_HTTP1);
    cr_expect(is_let_in(&(struct client_options){.most_version = TLS1_3_VERSION}));
    cr_expect(is_let_in(&(struct client_options){.most_version = TLS1_2_VERSION}));
    cr_expect_not(is_let_in(&(struct client_options){.most_version = TLS1_1_VERSION}));
    cr_expect_eq(refused("handshake"), 1);
}

Test(tls, agrees_on_the_protocol_of_the_listener)
{
    open_door(DOOR_HTTP2);
    SSL *client = connect_with(&(struct client_options){.protocol = "\x08http/1.1\x02h2"});
    const unsigned char *protocol;
    unsigned length;
    SSL_get0_alpn_selected(client, &protocol, &length);
    cr_expect(length == 2 && memcmp(protocol, "h2", 2) == 0);
    close(taken());
    drop_client(client);
    cr_expect_not(is_let_in(&(struct client_options){.protocol = "\x08http/1.1"}));
    cr_expect_eq(refused("handshake"), 1);
}

Test(tls, knows_the_names_of_a_client)
{
    struct peer peer;
    settings.tls.client_ca_path = in_folder("ca.pem");
    open_door(DOOR_HTTP2);
    SSL *client = connect_with(&(struct client_options){.identity = &caller});
    int transport = taken();
    cr_assert(door_peer(door, transport, &peer));
    cr_assert_eq(peer.name_count, 4);
    cr_expect_str_eq(peer.names[0], "dns:shop.example");
    cr_expect_str_eq(peer.names[1], "uri:spiffe://cluster/ns/shop");
    cr_expect_str_eq(peer.names[2], "ip:10.0.0.1");
    cr_expect_str_eq(peer.names[3], "email:a@b.c");
    drop_client(client);
    close(transport);
}

Test(tls, leaves_out_names_that_are_too_long)
{
    char names[600] = "DNS:short,URI:x:";
    struct peer peer;
    settings.tls.client_ca_path = in_folder("ca.pem");
    memset(names + strlen(names), 'y', 300);
    struct identity long_name = make_identity(&authority, names, 1);
    open_door(DOOR_HTTP2);
    SSL *client = connect_with(&(struct client_options){.identity = &long_name});
    int transport = taken();
    cr_assert(door_peer(door, transport, &peer));
    cr_expect_eq(peer.name_count, 1);
    cr_expect_str_eq(peer.names[0], "dns:short");
    drop_client(client);
    drop_identity(&long_name);
    close(transport);
}

Test(tls, needs_a_certificate_of_the_clients_ca)
{
    settings.tls.client_ca_path = in_folder("ca.pem");
    open_door(DOOR_HTTP2);
    cr_expect(is_let_in(&(struct client_options){.identity = &caller}));
    cr_expect_not(is_let_in(&nothing));
    cr_expect_not(is_let_in(&(struct client_options){.identity = &stranger}));
    cr_expect_eq(refused("handshake"), 2);
}

Test(tls, does_without_one_where_tokens_are_known)
{
    settings.tls.client_ca_path = in_folder("ca.pem");
    settings.auth.tokens_file = "tokens";
    open_door(DOOR_HTTP2);
    cr_expect(is_let_in(&(struct client_options){.identity = &caller}));
    cr_expect(is_let_in(&nothing));
    cr_expect_not(is_let_in(&(struct client_options){.identity = &stranger}));
}

Test(tls, must_be_spoken)
{
    open_door(DOOR_HTTP1);
    int client = connect_port();
    send_text(client, "GET / HTTP/1.1\r\n\r\n");
    expect_closed(client);
    cr_expect_eq(refused("handshake"), 1);
    close(client);
}

Test(tls, waits_so_long_for_a_handshake)
{
    limits.handshake_ms = 100;
    open_door(DOOR_HTTP1);
    int silent = connect_port(), slow = connect_port();
    send_bytes(slow, "\x16\x03\x01", 3);
    expect_end(silent);
    expect_end(slow);
    cr_expect_eq(refused("handshake_timeout"), 2);
    close(silent);
    close(slow);
}

Test(tls, hands_nobody_on_after_it_stops_accepting)
{
    open_door(DOOR_HTTP1);
    int waiting = connect_port();
    SSL *client = connect_tls(); // came later, so the first is there
    close(taken());
    door_stop_accepting(door);
    expect_closed(waiting);
    close(waiting);
    drop_client(client);
}

// One in each stage that a connection may be in.
Test(tls, closes_connections_of_every_stage_at_the_end)
{
    open_door(DOOR_HTTP2);
    int waiting = connect_port();
    SSL *served = connect_tls();
    int transport = taken();
    SSL *lingering = connect_tls();
    int refused_one = taken();
    write_tls(lingering, "GET", 3);
    expect_end(refused_one);
    door_destroy(door);
    door = NULL;
    expect_closed(waiting);
    expect_end(transport);
    expect_closed(SSL_get_fd(served));
    expect_closed(SSL_get_fd(lingering));
    drop_client(served);
    drop_client(lingering);
    close(waiting);
    close(transport);
    close(refused_one);
}

Test(tls, tells_a_client_by_goaway_as_well)
{
    static uint8_t bytes[1 << 16];
    uint8_t farewell[26];
    open_door(DOOR_HTTP2);
    SSL *client = connect_with(&(struct client_options){.protocol = "\x02h2"});
    int transport = taken();
    size_t length = add_preface(bytes);
    for (int i = 0; i < 200; i++)
        length = add_frame(bytes, length, SETTINGS, 0, 0, 0);
    write_tls(client, bytes, (int)length);
    for (int have = 0, more; have < 26; have += more) {
        more = SSL_read(client, farewell + have, 26 - have);
        cr_assert(more > 0);
    }
    cr_expect_eq(farewell[12], GOAWAY);
    cr_expect_eq(farewell[25], 11, "ENHANCE_YOUR_CALM");
    cr_expect_eq(SSL_read(client, farewell, 1), 0);
    cr_expect_eq(refused("settings"), 1);
    drop_client(client);
    close(transport);
}

// The door looks by itself: new clients see the new certificate, those that are there go on.
Test(tls, follows_its_files)
{
    struct identity renewed = make_identity(&authority, "DNS:renewed", 9);
    bool seen = false;
    limits.certificate_ms = 10;
    open_door(DOOR_HTTP1);
    double expiry = sample("netscope_certificate_expiry_timestamp_seconds{use=\"grpc\"}");
    SSL *old = connect_tls();
    int transport = taken();
    write_key(&renewed, "key.pem");
    write_certificate(&renewed, "cert.pem");
    while (!seen) {
        SSL *client = connect_tls();
        seen = X509_cmp(SSL_get0_peer_certificate(client), renewed.certificate) == 0;
        close(taken());
        drop_client(client);
    }
    cr_expect_gt(sample("netscope_certificate_expiry_timestamp_seconds{use=\"grpc\"}"), expiry);
    send_text(transport, "on");
    expect_tls(old, "on");
    drop_client(old);
    close(transport);
    drop_identity(&renewed);
}
