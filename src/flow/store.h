// What a flow is in memory: a node, which every packet of the flow touches (IPv4: one cache line), 16 bytes that
// only its beginning and its end touch, and parts that only some flows have: `tcp_opening` (TCP in its handshake, with quality on), `tcp_quality` (TCP beyond it), `tcp_trouble` (a side of
// it that lost, repeated or reordered something) and `flow_extra` (names, tunnels, sightings...). Internal to
// flow/. One owner, one thread.
#pragma once

#include <stddef.h>
#include <string.h>

#include "base/prefetch.h"
#include "base/slab.h"
#include "flow/key.h"
#include "flow/policy.h"
#include "flow/record.h"

enum {
    FLOW_ID_V6 = 1u << 31,      // in a flow's id: which slab it lies in
    FLOW_ID_INTERIM = 1u << 30, // in the ended list: the flow goes on
    FLOW_ID_BEGUN = 1u << 29,   // in the ended list: the flow began in this tick
    IDLE_FIRST = 1u << 30,      // in links: not a flow but a slot
};

// A doubly linked list by ids, 0 at both ends; see idle.h.
struct idle_links {
    uint32_t next;
    uint32_t previous; // of the first of a slot: IDLE_FIRST and the slot's number
};

enum flow_mark {
    FLOW_MARK_VLAN = 1 << 0,
    FLOW_MARK_TUNNEL = 1 << 1,
    FLOW_MARK_V6 = 1 << 2,
    FLOW_MARK_CLIENT_B = 1 << 3, // the client is B
    FLOW_MARK_ENDED = 1 << 4,    // off the index, waiting for its record to be taken
    FLOW_MARK_QUALITY = 1 << 5,  // flow->quality is the id of the part
    FLOW_MARK_OPENING = 1 << 6,  // flow->quality is the id of struct tcp_opening
    FLOW_MARK_LOOKED = 1 << 7,   // its look is over (look.h)
};

// Directions: 0 = A to B. Times are flow time: the packet's own stamp plus the clock's offset.
struct flow {
    int64_t last_ns;
    uint64_t bytes[2];
    uint32_t packets[2]; // low 32 bits; what is above them lies in flow_extra
    uint32_t quality;    // id of a part, by the marks; without them the sequence number of the first SYN
    uint32_t extra;      // id of the part, 0 = none; enum flow_extra_mark
    uint16_t ports[2];
    uint16_t owner[2]; // interface + 1 that owns a direction; 0 = not seen yet
    uint16_t vlan;
    uint8_t protocol;
    uint8_t tcp_flags[2]; // all that a side sent
    uint8_t tcp_state : 4;
    uint8_t client_from : 4;
    uint8_t marks;
    union {
        struct {
            uint8_t idle_class : 4;
            uint8_t wheel : 4; // the class whose wheel it is on: another one while that is soon enough
        };
        uint8_t end_reason; // FLOW_MARK_ENDED
    };
    uint8_t addresses[]; // 2 x 4 or 2 x 16
};
// In flow->extra, so that no other packet looks further.
enum flow_extra_mark {
    FLOW_EXTRA_STREAM = 1u << 31,   // a side's stream is being put together (assembly.h)
    FLOW_EXTRA_FOLLOWS = 1u << 30,  // a challenge, or a clock with an offset: every packet tells more of it
    FLOW_EXTRA_ID = (1u << 30) - 1, // the rest
};
enum { FLOW_NODE_V4_BYTES = 64, FLOW_NODE_V6_BYTES = 88 };
_Static_assert(offsetof(struct flow, addresses) + 2 * 4 == FLOW_NODE_V4_BYTES, "a cache line");
_Static_assert(offsetof(struct flow, addresses) + 2 * 16 == FLOW_NODE_V6_BYTES, "no padding");

struct flow_ends {
    int64_t first_ns;
    union {
        struct idle_links idle;
        int64_t end_ns; // FLOW_MARK_ENDED
    };
};

enum { TCP_HOLES = 13, TCP_FRAMES = 16, TCP_HISTORY = 16 };

// Moments of a connection that are compared within minutes are kept in steps of 200 ns, which come around after 14
// minutes: whoever compares two says how he knows that they are nearer.
enum { TCP_STEP_NS = 200 };

// From data of a side to its peer's ACK, in steps.
struct tcp_rtt {
    uint32_t last, least, ewma;
    uint32_t samples;
};

// How far a side is, by what it sent itself; Zeek's states of an endpoint.
enum tcp_side_state {
    SIDE_INACTIVE,
    SIDE_SYN_SENT,
    SIDE_SYN_ACK_SENT,
    SIDE_PARTIAL, // first seen midway
    SIDE_ESTABLISHED,
    SIDE_CLOSED,
    SIDE_RESET,
};

struct tcp_side {
    uint32_t next_sequence; // behind the highest data sent
    uint32_t last_ack;
    uint32_t first_sequence;          // of its SYN, or the number before its first data
    uint32_t trouble;                 // id of the part, 0 = none
    uint32_t advanced_at;             // step at which next_sequence grew, or the side ended the connection
    uint32_t pending_end, pending_at; // a segment that waits for its ACK
    struct tcp_rtt rtt;
    uint16_t window;
    uint16_t frame;                      // of its last packet, see tcp_frames.c
    uint16_t seen;                       // enum tcp_side_seen
    uint8_t wraps;                       // of next_sequence over first_sequence
    uint8_t state : 4, state_before : 4; // enum tcp_side_state
};

enum tcp_side_seen {
    TCP_SIDE_SEQUENCE = 1 << 0,   // next_sequence is valid
    TCP_SIDE_ACK = 1 << 1,        // last_ack and window are valid
    TCP_SIDE_KEEP_ALIVE = 1 << 2, // its last packet was a keep-alive
    TCP_SIDE_PROBE = 1 << 3,      // its last packet was a probe into a closed window
    TCP_SIDE_SYN = 1 << 4,        // it sent one
    TCP_SIDE_FIRST = 1 << 5,      // first_sequence is valid
    TCP_SIDE_FIN = 1 << 6,
    TCP_SIDE_RST = 1 << 7,
    TCP_SIDE_PENDING = 1 << 8,       // pending_* are valid
    TCP_SIDE_PENDING_NEWER = 1 << 9, // and took the place of an older segment's
    TCP_SIDE_LETTER_A = 1 << 10,     // letters that a history has once
    TCP_SIDE_LETTER_D = 1 << 11,
    TCP_SIDE_LETTER_I = 1 << 12,
    TCP_SIDE_LETTER_Q = 1 << 13,
    TCP_SIDE_TWO_ANSWERS =
        1 << 14, // a second SYN-ACK had another number, and the peer has acknowledged neither
    TCP_SIDE_ENDED =
        1 << 15, // ended the connection at `advanced_at`; of both sides: that is long ago (tcp_history.c)
};

struct tcp_quality {
    struct tcp_side side[2];
    int64_t handshake_ns;   // TCP_HANDSHAKE_DONE: its RTT; TCP_HANDSHAKE_SYN: the stamp of the last SYN
    uint64_t letters;       // the history, see tcp_history.c
    uint32_t last_reset;    // number of the last RST
    uint16_t letters_sides; // who made a letter
    uint8_t letters_count;
    uint8_t handshake : 2; // enum tcp_handshake
    uint8_t last_side : 1; // direction of the last segment
};
_Static_assert(sizeof(struct tcp_quality) == 128, "two cache lines");

// What a flow has instead until it goes beyond its handshake, so that a flood of connections costs little: the
// segments behind the first SYN, to be measured when there is something to measure.
enum { TCP_OPENING_SEGMENTS = 2 }; // SYN-ACK and the client's ACK

struct tcp_opening {
    struct {
        int64_t sent_ns; // the packet's own stamp
        uint32_t sequence, acknowledgement;
        uint16_t window, ip_id;
        uint8_t flags;
    } segment[TCP_OPENING_SEGMENTS];
    uint32_t syn_sequence;
    uint32_t segments; // 0 = free, see store.c
};

enum { OPENINGS_A_NODE = 2 };
_Static_assert(sizeof(struct tcp_opening) <= sizeof(struct tcp_quality) / OPENINGS_A_NODE,
               "two openings fit into the node of a quality");

enum tcp_handshake { TCP_HANDSHAKE_NONE, TCP_HANDSHAKE_SYN, TCP_HANDSHAKE_DONE };

struct tcp_hole {
    uint32_t begin, end;
};

// What went wrong with a side's stream, and what the side asked for again. In the first cache line what every packet of
// such a side asks for.
struct tcp_trouble {
    _Alignas(64) uint32_t heard_at; // step of the side's last segment
    uint16_t frame[TCP_FRAMES];     // of its last packets
    uint8_t next_frame;             // place in `frame`
    uint8_t holes;
    uint8_t asked;       // duplicate ACKs in a row
    uint8_t asked_again; // those of them that are, or may be, frames captured twice
    uint32_t retransmissions, out_of_order;
    uint32_t duplicate_acks, zero_windows; // that the side sent
    uint32_t forgotten_bytes;              // of holes for which there was no place
    uint32_t duplicate_frames,
        duplicate_retransmissions;          // captured twice; those of them that look retransmitted
    uint32_t likely_duplicates;             // that may have been captured twice, or sent twice
    uint32_t repeats, closed_windows, gaps; // that made or may make a letter of the history
    struct tcp_hole hole[TCP_HOLES];        // sequence numbers that it skipped
};
_Static_assert(sizeof(struct tcp_trouble) == 192, "three cache lines");

enum { DNS_PENDING = 4 };

// A question that waits for its answer, or was answered: the answer may be captured twice.
struct dns_pending {
    int64_t at_ns; // of the question; of the answer once there is one
    uint16_t id, type;
    uint32_t name : 30; // a hash
    uint32_t side : 1;  // that asked
    uint32_t answered : 1;
};

struct assembly;
// A SYN with another number on a connection that is busy: what of the flow's counts is its own.
struct tcp_challenge {
    int64_t first_ns,
        rested_ns; // flow time of the SYN, and of the flow's last packet that is no part of this
    uint64_t bytes;
    uint32_t sequence;
    uint16_t packets; // 0 = none
    uint8_t side;
};

// In the first two cache lines what a flow with names asks for.
struct flow_extra {
    struct flow_names *names; // owned; NULL = none
    int64_t clock_offset_ns;  // flow time minus the packets' stamps
    uint32_t record_seq;
    uint32_t ordinal;  // of the flow, see flow_record
    uint8_t dns_known; // entries of `dns` in use, oldest first
    uint8_t observed;
    uint8_t joined; // directions that were counted in another form than the key's (mirror.h), as bits
    bool mirrored;  // the flow is in the table's second index
    uint32_t packets_above[2]; // packets / 2^32
    struct dns_pending dns[DNS_PENDING];
    struct assembly *stream[2]; // of a side, owned by the partition's pool; NULL = none
    int64_t owner_last_ns[2];   // when the owner of a direction last saw it
    int64_t next_active_ns;     // when the next interim record is due; 0 = not asked for
    int64_t interim_ns;         // of the interim record that waits on the ended list; 0 = none
    struct flow_tunnel tunnel;
    struct tcp_challenge challenge;
    uint16_t observed_at[OBSERVED_INTERFACES];
};
_Static_assert(offsetof(struct flow_extra, stream) <= 144, "names and questions lie together");

// The flows of an IP version.
struct flow_nodes {
    struct slab slab;
    struct arena ends; // struct flow_ends by the number of the node
};

struct flow_store {
    struct flow_nodes v4, v6;
    struct slab quality, trouble, extra;
    uint32_t free_opening; // first of those whose neighbour in the node is in use
    uint64_t names_bytes;  // memory of flow_names outside the slabs
};

// Room for `flows` of each IP version with all their parts. False when the process may have no more address space.
bool flow_store_init(struct flow_store *store, uint32_t flows);
void flow_store_done(struct flow_store *store); // frees what the flows still hold
size_t flow_store_bytes(const struct flow_store *store);

// A new node with the key's fields filled; 0 without memory.
uint32_t flow_store_add(struct flow_store *store, const struct flow_key *key);
void flow_store_remove(struct flow_store *store, uint32_t id);

static inline struct flow *flow_at(const struct flow_store *store, uint32_t id)
{
    return (id & FLOW_ID_V6) != 0 ? slab_node(&store->v6.slab, id & ~(uint32_t)FLOW_ID_V6, FLOW_NODE_V6_BYTES)
                                  : slab_node(&store->v4.slab, id, FLOW_NODE_V4_BYTES);
}

static inline struct flow_ends *flow_ends_at(const struct flow_store *store, uint32_t id)
{
    const struct flow_nodes *nodes = (id & FLOW_ID_V6) != 0 ? &store->v6 : &store->v4;
    return (struct flow_ends *)(void *)nodes->ends.base + ((id & ~(uint32_t)FLOW_ID_V6) - 1);
}

// Two openings share a node of `quality`, so that what connections in their handshake took is there for the quality
// of those that go on.
static inline struct tcp_opening *opening_at(const struct flow_store *store, uint32_t id)
{
    struct tcp_quality *node = slab_node(&store->quality, (id - 1) / OPENINGS_A_NODE + 1, sizeof *node);
    size_t offset = (id - 1) % OPENINGS_A_NODE * (sizeof *node / OPENINGS_A_NODE);
    return (struct tcp_opening *)(void *)((char *)node + offset);
}

static inline struct tcp_opening *flow_opening(const struct flow_store *store, const struct flow *flow)
{
    return (flow->marks & FLOW_MARK_OPENING) != 0 ? opening_at(store, flow->quality) : NULL;
}

static inline struct tcp_quality *flow_quality(const struct flow_store *store, const struct flow *flow)
{
    return (flow->marks & FLOW_MARK_QUALITY) != 0
               ? slab_node(&store->quality, flow->quality, sizeof(struct tcp_quality))
               : NULL;
}

static inline struct tcp_trouble *flow_trouble(const struct flow_store *store, const struct tcp_side *side)
{
    return side->trouble != 0 ? slab_node(&store->trouble, side->trouble, sizeof(struct tcp_trouble)) : NULL;
}

static inline struct flow_extra *flow_extra(const struct flow_store *store, const struct flow *flow)
{
    uint32_t id = flow->extra & FLOW_EXTRA_ID;
    return id != 0 ? slab_node(&store->extra, id, sizeof(struct flow_extra)) : NULL;
}

// Touch early what the end of a flow reads: its node, and some flows later the parts that the node names.
PREFETCHING void flow_prefetch(const struct flow_store *store, uint32_t id)
{
    prefetch_read(flow_at(store, id));
    prefetch_read(flow_ends_at(store, id));
}

PREFETCHING void flow_prefetch_parts(const struct flow_store *store, const struct flow *flow)
{
    const char *quality = (const char *)flow_quality(store, flow);
    const struct flow_extra *extra = flow_extra(store, flow);
    if (quality != NULL) {
        prefetch_read(quality);
        prefetch_read(quality + 64);
    } else if ((flow->marks & FLOW_MARK_OPENING) != 0) {
        prefetch_read(flow_opening(store, flow));
    }
    if (extra != NULL)
        prefetch_read(extra);
}

// The part of a flow that has none yet; NULL without memory.
struct tcp_opening *flow_make_opening(struct flow_store *store, struct flow *flow);
struct tcp_quality *flow_make_quality(struct flow_store *store, struct flow *flow);
// The opening's time is over: what it held is given back, and the flow has no such part any more.
struct tcp_opening flow_take_opening(struct flow_store *store, struct flow *flow);
// The part, made when the flow has none yet; NULL without memory.
struct tcp_trouble *flow_need_trouble(struct flow_store *store, struct tcp_side *side);
struct flow_extra *flow_need_extra(struct flow_store *store, struct flow *flow);
// Gives the flow a copy of these names, which may borrow texts of those that it had; NULL without memory: it keeps
// what it had.
struct flow_names *flow_set_names(struct flow_store *store, struct flow *flow,
                                  const struct flow_names *names);
// The names, which are the caller's from now on; NULL = none.
struct flow_names *flow_take_names(struct flow_store *store, struct flow_extra *extra);

void flow_key_of(const struct flow_store *store, const struct flow *flow, struct flow_key *key);

static inline bool flow_has_addresses(const struct flow *flow, const struct flow_key *key)
{
    if ((flow->marks & FLOW_MARK_V6) != 0)
        return key->ip_version == 6 && memcmp(flow->addresses, key->addresses, sizeof key->addresses) == 0;
    uint32_t own[2], other[2];
    memcpy(own, flow->addresses, sizeof own);
    memcpy(&other[0], key->addresses[0], sizeof other[0]);
    memcpy(&other[1], key->addresses[1], sizeof other[1]);
    return key->ip_version == 4 && own[0] == other[0] && own[1] == other[1];
}

static inline bool flow_has_tunnel(const struct flow_store *store, const struct flow *flow,
                                   const struct flow_key *key)
{
    if ((flow->marks & FLOW_MARK_TUNNEL) == 0)
        return key->tunnel_kind == TUNNEL_NONE;
    const struct flow_extra *extra = flow_extra(store, flow);
    return extra->tunnel.key_kind == key->tunnel_kind && extra->tunnel.key == key->tunnel;
}

static inline bool flow_has_key(const struct flow_store *store, const struct flow *flow,
                                const struct flow_key *key)
{
    return memcmp(flow->ports, key->ports, sizeof flow->ports) == 0 && flow->protocol == key->protocol &&
           flow_has_addresses(flow, key) && flow_has_tunnel(store, flow, key);
}

static inline bool flow_answered(const struct flow *flow)
{
    return flow->bytes[0] != 0 && flow->bytes[1] != 0;
}
