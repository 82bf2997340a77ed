#include "door/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "door/certificate.h"
#include "door/door_inside.h"
#include "door/tls.h"

// Rounds of one connection before it is the turn of others: 2 MiB a direction at most.
enum { PUMP_ROUNDS = 64 };

static void set_deadline(struct connection *connection, uint32_t after_ms, enum refusal reason)
{
    connection->deadline_ns = connection->door->now_ns + after_ms * NS_PER_MS;
    connection->deadline_reason = reason;
    door_wake_at(connection->door, connection->deadline_ns);
}

static void enlist(struct connection **list, struct connection *connection)
{
    connection->next = *list;
    connection->previous = NULL;
    if (*list != NULL)
        (*list)->previous = connection;
    *list = connection;
}

static void delist(struct connection **list, struct connection *connection)
{
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        *list = connection->next;
}

static void close_now(struct connection *connection)
{
    assert(connection->stage != STAGE_CLOSED);
    connection->stage = STAGE_CLOSED;
    wire_close(&connection->network);
    own_ends_forget(&connection->own, connection->door->own);
    wire_close(&connection->inner);
    lane_clear(&connection->up);
    lane_clear(&connection->down);
    free(connection->peer);
    connection->peer = NULL;
    count_less(&connection->listener->counts.open);
    connection->listener->local_open -= connection->is_local;
    delist(&connection->door->connections, connection);
    enlist(&connection->door->closed, connection);
}

// Ends it towards the transport at once, and towards the client when it has got what is in the lane.
static void linger(struct connection *connection)
{
    assert(connection->stage == STAGE_HANDSHAKE || connection->stage == STAGE_OPEN);
    if (connection->stage == STAGE_HANDSHAKE) { // TLS has said what it could
        tls_session_destroy(connection->network.tls);
        connection->network.tls = NULL;
    }
    connection->stage = STAGE_LINGER;
    connection->down.ended = true;
    lane_clear(&connection->up);
    wire_close(&connection->inner);
    set_deadline(connection, connection->door->limits.linger_ms, REFUSALS);
}

static void refuse(struct connection *connection, enum refusal reason)
{
    assert(reason < REFUSALS);
    count_more(&connection->listener->counts.refused[reason]);
    linger(connection);
}

static void refuse_frames(struct connection *connection, enum frame_verdict verdict)
{
    uint8_t farewell[FRAME_FAREWELL_BYTES];
    size_t length = frame_guard_farewell(&connection->frames, farewell);
    assert(verdict != FRAMES_FINE && lane_is_empty(&connection->down));
    if (verdict != FRAMES_NO_PREFACE && length > 0)
        lane_put_last(&connection->down, farewell, length);
    refuse(connection, (enum refusal)(REFUSED_FRAMES + (int)verdict - 1));
}

// What the client sent and is not passed on yet: whether it may be.
static bool judge(struct connection *connection)
{
    const uint8_t *bytes = connection->up.bytes;
    size_t length = connection->up.end;
    if (connection->listener->protocol == DOOR_HTTP1) {
        if (!connection->asked)
            connection->asked = request_head_read(&connection->head, bytes, length);
    } else {
        enum frame_verdict verdict =
            frame_guard_client(&connection->frames, bytes, length, connection->door->now_ns);
        if (verdict != FRAMES_FINE) {
            refuse_frames(connection, verdict);
            return false;
        }
        connection->asked = connection->frames.asked;
    }
    if (connection->asked)
        connection->deadline_ns = INT64_MAX;
    return true;
}

// A client of HTTP/2 is not read from while it does not read: every ping and every reset would have an answer waiting.
static bool may_fill_up(const struct connection *connection)
{
    return lane_is_empty(&connection->up) &&
           (connection->listener->protocol == DOOR_HTTP1 || lane_is_empty(&connection->down));
}

// Whether anything moved.
static bool move_up(struct connection *connection)
{
    struct lane *lane = &connection->up;
    if (connection->hung_up) {
        lane_clear(lane);
        return false;
    }
    ssize_t got = may_fill_up(connection) ? lane_fill(lane, &connection->network) : WIRE_LATER;
    if (got == WIRE_BROKEN)
        close_now(connection);
    if (got == WIRE_BROKEN || (got > 0 && !judge(connection)))
        return false;
    ssize_t put = lane_drain(lane, &connection->inner);
    connection->hung_up = put == WIRE_BROKEN;
    return got > 0 || put > 0;
}

static bool move_down(struct connection *connection)
{
    struct lane *lane = &connection->down;
    ssize_t got = lane_is_empty(lane) ? lane_fill(lane, &connection->inner) : WIRE_LATER;
    if (got == WIRE_BROKEN)
        connection->hung_up = lane->ended = true;
    if (got > 0 && connection->listener->protocol == DOOR_HTTP2)
        frame_guard_server(&connection->frames, lane->bytes, lane->end);
    ssize_t put = lane_drain(lane, &connection->network);
    if (put == WIRE_BROKEN)
        close_now(connection);
    return put != WIRE_BROKEN && (got > 0 || put > 0);
}

static void ask_again(struct connection *connection)
{
    int epoll = connection->door->epoll;
    bool again = watched_again(&connection->network_watched, epoll, connection->network.descriptor,
                               WATCHED_ENDS | EPOLLET);
    if (again && connection->inner.descriptor >= 0)
        again = watched_again(&connection->inner_watched, epoll, connection->inner.descriptor,
                              WATCHED_ENDS | EPOLLET);
    if (!again)
        close_now(connection);
}

// All that can be moved is moved, and then the ends are looked at.
static void pump(struct connection *connection)
{
    unsigned rounds = 0;
    for (bool moved = true; moved && rounds < PUMP_ROUNDS; rounds++) {
        moved = move_up(connection);
        if (connection->stage == STAGE_OPEN)
            moved = move_down(connection) || moved;
        if (connection->stage != STAGE_OPEN)
            return;
    }
    if (connection->up.passed_on && connection->down.passed_on)
        close_now(connection);
    else if (connection->down.passed_on && connection->hung_up)
        linger(connection);
    else if (rounds == PUMP_ROUNDS)
        ask_again(connection);
}

// The client gets the rest; what it sends is read, for a socket that is closed over unread bytes forgets what
// it was to send.
static void pump_last(struct connection *connection)
{
    ssize_t put = 1, got = 1;
    while (put > 0)
        put = lane_drain(&connection->down, &connection->network);
    for (unsigned rounds = 0; put != WIRE_BROKEN && got > 0; rounds++) {
        if (rounds == PUMP_ROUNDS) {
            ask_again(connection);
            return;
        }
        got = wire_discard(&connection->network);
    }
    if (put == WIRE_BROKEN || got == WIRE_BROKEN || (got == WIRE_ENDED && connection->down.passed_on))
        close_now(connection);
}

static bool watch_inner(struct connection *connection)
{
    connection->inner_watched = (struct watched){WATCHED_INNER, connection};
    return watched_add(&connection->inner_watched, connection->door->epoll, connection->inner.descriptor,
                       WATCHED_ENDS | EPOLLET);
}

static void open_guard(struct connection *connection)
{
    const struct door_limits *limits = &connection->door->limits;
    bool http2 = connection->listener->protocol == DOOR_HTTP2;
    if (http2)
        frame_guard_init(&connection->frames, &frame_usual_limits, &connection->door->frames);
    else
        connection->head = (struct request_head){0};
    set_deadline(connection, http2 ? limits->http2_ms : limits->http1_ms, REFUSED_REQUEST_TIMEOUT);
}

// Gives the listener's transport its end.
static void hand_on(struct connection *connection)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        refuse(connection, REFUSED_DESCRIPTORS);
        return;
    }
    connection->inner = (struct wire){.descriptor = pair[0]};
    if (connection->network.tls != NULL)
        tls_add_names(connection->network.tls, connection->peer);
    if (!watch_inner(connection) || !peers_put(&connection->door->peers, pair[1], connection->peer)) {
        close(pair[1]);
        refuse(connection, REFUSED_MEMORY);
        return;
    }
    connection->peer = NULL;
    connection->stage = STAGE_OPEN;
    open_guard(connection);
    connection->listener->take(connection->listener->taker, pair[1]);
}

static void shake_hands(struct connection *connection)
{
    ssize_t done = tls_handshake(connection->network.tls);
    if (done == WIRE_ENDED)
        hand_on(connection);
    else if (done == WIRE_BROKEN)
        refuse(connection, REFUSED_HANDSHAKE);
}

static void go_on(struct connection *connection)
{
    if (connection->stage == STAGE_HANDSHAKE)
        shake_hands(connection);
    if (connection->stage == STAGE_OPEN)
        pump(connection);
    if (connection->stage == STAGE_LINGER)
        pump_last(connection);
}

void connection_network_event(struct connection *connection, uint32_t events)
{
    if (connection->stage == STAGE_CLOSED)
        return;
    if ((events & EPOLLERR) != 0)
        close_now(connection);
    else
        go_on(connection);
}

void connection_inner_event(struct connection *connection, uint32_t events)
{
    if (connection->stage != STAGE_OPEN)
        return;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0)
        connection->hung_up = true;
    pump(connection);
    if (connection->stage == STAGE_LINGER)
        pump_last(connection);
}

static bool begin_tls(struct connection *connection)
{
    const struct certificate *certificate = connection->listener->certificate;
    if (!connection->peer->tls)
        return true;
    connection->network.tls = tls_session_create(certificate, connection->network.descriptor);
    set_deadline(connection, connection->door->limits.handshake_ms, REFUSED_HANDSHAKE_TIMEOUT);
    return connection->network.tls != NULL;
}

static struct connection *create(struct listener *listener, int descriptor, const struct peer *peer)
{
    struct connection *connection = calloc(1, sizeof *connection);
    struct peer *copy = malloc(sizeof *copy);
    if (connection == NULL || copy == NULL) {
        free(connection);
        free(copy);
        return NULL;
    }
    *copy = *peer;
    connection->peer = copy;
    connection->door = listener->door;
    connection->listener = listener;
    connection->network = (struct wire){.descriptor = descriptor};
    connection->inner = (struct wire){.descriptor = -1};
    connection->network_watched = (struct watched){WATCHED_NETWORK, connection};
    connection->deadline_ns = INT64_MAX;
    return connection;
}

void connection_begin(struct listener *listener, int take_descriptor, const struct peer *peer,
                      const struct address *address)
{
    struct connection *connection = create(listener, take_descriptor, peer);
    if (connection == NULL) {
        count_more(&listener->counts.refused[REFUSED_MEMORY]);
        close(take_descriptor);
        return;
    }
    connection->address = *address;
    own_ends_tell(&connection->own, connection->door->own, peer);
    connection->is_local = peer->local_socket;
    listener->local_open += peer->local_socket;
    count_more(&listener->counts.open);
    count_more(&listener->counts.total);
    enlist(&listener->door->connections, connection);
    if (!begin_tls(connection) || !watched_add(&connection->network_watched, listener->door->epoll,
                                               take_descriptor, WATCHED_ENDS | EPOLLET)) {
        count_more(&listener->counts.refused[REFUSED_MEMORY]);
        close_now(connection);
        return;
    }
    if (connection->network.tls == NULL)
        hand_on(connection);
    go_on(connection);
}

static void end_in_time(struct connection *connection)
{
    if (connection->stage == STAGE_LINGER) {
        close_now(connection);
        return;
    }
    lane_clear(&connection->down);
    refuse(connection, connection->deadline_reason);
    pump_last(connection);
}

void connections_look(struct door *door)
{
    struct connection *next;
    for (struct connection *connection = door->connections; connection != NULL; connection = next) {
        next = connection->next;
        if (connection->deadline_ns <= door->now_ns)
            end_in_time(connection);
        else
            door_wake_at(door, connection->deadline_ns);
    }
}

void connections_close_waiting(struct door *door)
{
    struct connection *next;
    for (struct connection *connection = door->connections; connection != NULL; connection = next) {
        next = connection->next;
        if (connection->stage == STAGE_HANDSHAKE)
            close_now(connection);
    }
}

static bool owes(const struct connection *connection)
{
    const struct lane *down = &connection->down;
    bool has_more = !lane_is_empty(down) || (down->ended && !down->passed_on);
    return has_more && (connection->stage == STAGE_OPEN || connection->stage == STAGE_LINGER);
}

// The client was told the end, be it that the transport has not closed yet.
static bool lingers(const struct connection *connection)
{
    return connection->stage == STAGE_LINGER ||
           (connection->stage == STAGE_OPEN && connection->down.passed_on);
}

bool connections_end_lingering(struct listener *listener, bool local)
{
    struct connection *longest = NULL;
    for (struct connection *one = listener->door->connections; one != NULL; one = one->next)
        if (one->listener == listener && one->is_local == local && lingers(one) &&
            (longest == NULL || one->deadline_ns <= longest->deadline_ns))
            longest = one;
    if (longest != NULL)
        close_now(longest);
    return longest != NULL;
}

bool connections_owe(struct door *door)
{
    bool any = false;
    for (struct connection *connection = door->connections, *next; connection != NULL; connection = next) {
        next = connection->next;
        if (connection->stage == STAGE_OPEN || connection->stage == STAGE_LINGER)
            go_on(connection);
        any |= owes(connection);
    }
    return any;
}

void connections_close_all(struct door *door)
{
    while (door->connections != NULL)
        close_now(door->connections);
    connections_free_closed(door);
}

void connections_free_closed(struct door *door)
{
    while (door->closed != NULL) {
        struct connection *connection = door->closed;
        delist(&door->closed, connection);
        free(connection);
    }
}
