#include "pipeline/dispatch.h"

#include <assert.h>

#include "base/time.h"
#include "capture/record/tap.h"
#include "pipeline/claims.h"
#include "pipeline/observation.h"
#include "pipeline/shard.h"

enum {
    FILE_WAIT_MS = 10,
    DATAGRAMS_A_CHUNK = 256,
    DATAGRAM_CHUNKS_LEAST = 2,
    DATAGRAM_CHUNK_BYTES = 256 * 1024
};
_Static_assert((int)DATAGRAM_CHUNK_BYTES >= (int)REASSEMBLY_WHOLE_BYTES, "a datagram fits");
// Live, where packets come, the next ones end the tick, so that it need not wake the source by itself: it waits a little
// longer than the usual capture.timeout_ms for them.
static const int64_t tick_patience_ns = 12 * NS_PER_MS;

// One is filled while batches hold the others.
static unsigned datagram_chunks(unsigned datagrams)
{
    unsigned chunks = datagrams / DATAGRAMS_A_CHUNK;
    return chunks > DATAGRAM_CHUNKS_LEAST ? chunks : DATAGRAM_CHUNKS_LEAST;
}

uint64_t dispatch_datagram_bytes(unsigned datagrams)
{
    return fragments_bytes(datagrams) + datagram_chunks(datagrams) * (uint64_t)DATAGRAM_CHUNK_BYTES;
}

bool dispatch_init(struct dispatch *dispatch, const struct dispatch_settings *settings, struct batch *open,
                   struct totals *totals, deliver_function *deliver, void *owner)
{
    unsigned datagrams = settings->datagrams != 0 ? settings->datagrams : DATAGRAMS_KNOWN;
    *dispatch = (struct dispatch){
        .settings = *settings,
        .deliver = deliver,
        .owner = owner,
        .open = open,
        .totals = totals,
        .fragments = fragments_create(datagrams, settings->hash_seed),
        .datagrams = chunk_pool_create(datagram_chunks(datagrams), DATAGRAM_CHUNK_BYTES),
    };
    if (settings->tick_packets == 0)
        dispatch->settings.tick_packets = TICK_PACKETS;
    for (unsigned p = 0; p < settings->partitions; p++)
        dispatch->shard_of[p] = (uint8_t)(p % settings->shards);
    live_clock_start(&dispatch->live);
    ledger_init(&dispatch->ledger, totals, settings->live);
    return dispatch->fragments != NULL && dispatch->datagrams != NULL;
}

void dispatch_done(struct dispatch *dispatch)
{
    fragments_destroy(dispatch->fragments);
    if (dispatch->datagram != NULL)
        chunk_release(dispatch->datagram);
    chunk_pool_destroy(dispatch->datagrams);
}

void dispatch_add_tap(struct dispatch *dispatch, struct tap *tap)
{
    assert(dispatch->tap_count < DISPATCH_TAPS);
    dispatch->taps[dispatch->tap_count++] = tap;
}

void dispatch_remove_tap(struct dispatch *dispatch, struct tap *tap)
{
    unsigned at = 0;
    while (at < dispatch->tap_count && dispatch->taps[at] != tap)
        at++;
    assert(at < dispatch->tap_count);
    for (dispatch->tap_count--; at < dispatch->tap_count; at++)
        dispatch->taps[at] = dispatch->taps[at + 1];
}

void dispatch_set_interval(struct dispatch *dispatch, int64_t interval_ns)
{
    if (dispatch->settings.interval_ns != interval_ns)
        dispatch->interval_begin_ns = dispatch->now_ns;
    dispatch->settings.interval_ns = interval_ns;
}

static bool hand_over(struct dispatch *dispatch, bool wait)
{
    dispatch->open = dispatch->deliver(dispatch->owner, dispatch->open, wait);
    return dispatch->open != NULL;
}

static void note_interval(struct dispatch *dispatch, int64_t end_ns)
{
    struct totals *totals = dispatch->totals;
    int64_t passed_ns = end_ns - dispatch->interval_begin_ns;
    totals->interval_end = dispatch->settings.interval_ns != 0 && passed_ns >= dispatch->settings.interval_ns;
    if (!totals->interval_end)
        return;
    totals->interval_ns = passed_ns;
    dispatch->interval_begin_ns = end_ns;
}

// There is an open batch; there may be none after it (live).
static void cut_tick(struct dispatch *dispatch, int64_t end_ns, enum batch_mark mark)
{
    struct batch *batch = dispatch->open;
    note_interval(dispatch, end_ns);
    batch->mark = (uint8_t)mark;
    batch->now_ns = end_ns;
    batch->tick = dispatch->tick;
    batch->interval_end = dispatch->totals->interval_end;
    hand_over(dispatch, dispatch->settings.lossless && mark != BATCH_SOURCE_END);
    dispatch->tick++;
    dispatch->tick_packets = 0;
}

static void send_waiting(struct dispatch *dispatch);

// Ends the tick where it is over, or begins the first: a tick ends at the last boundary that was passed, however many they are. When the shards
// are so far behind that no batch is free (live), the tick rides on: it ends a little later.
static __attribute__((noinline)) void end_tick(struct dispatch *dispatch, int64_t now_ns)
{
    int64_t tick_ns = dispatch->settings.tick_ns;
    if (dispatch->tick_end_ns == 0) {
        dispatch->interval_begin_ns = now_ns / tick_ns * tick_ns;
        dispatch->tick_end_ns = dispatch->interval_begin_ns + tick_ns;
    }
    bool passed = now_ns >= dispatch->tick_end_ns;
    if (!passed && dispatch->tick_packets < dispatch->settings.tick_packets)
        return;
    fragments_expire(dispatch->fragments, now_ns);
    send_waiting(dispatch);
    if (dispatch->open == NULL && !hand_over(dispatch, dispatch->settings.lossless))
        return;
    cut_tick(dispatch, passed ? now_ns / tick_ns * tick_ns : now_ns, BATCH_TICK);
    if (passed)
        dispatch->tick_end_ns = (now_ns / tick_ns + 1) * tick_ns;
}

static inline void advance(struct dispatch *dispatch, int64_t now_ns)
{
    dispatch->now_ns = now_ns;
    if (now_ns >= dispatch->tick_end_ns || dispatch->tick_packets >= dispatch->settings.tick_packets)
        end_tick(dispatch, now_ns);
}

static void count_unsupported(struct totals *totals, bool link, uint16_t number)
{
    for (unsigned i = 0; i < totals->unsupported; i++) {
        struct unsupported_totals *row = &totals->unsupported_kind[i];
        if (row->link == link && row->number == number) {
            row->packets++;
            return;
        }
    }
    if (totals->unsupported < TOTALS_UNSUPPORTED)
        totals->unsupported_kind[totals->unsupported++] =
            (struct unsupported_totals){.link = link, .number = number, .packets = 1};
}

// Most packets are whole, plain and understood, and count in none of these.
static inline void count_understanding(struct totals *totals, const struct packet *packet)
{
    if ((packet->notes | packet->fragment | packet->vlans | packet->tunnel.kind | packet->error_reason) ==
            0 &&
        packet->source.version != 0)
        return;
    totals->bad_checksums += (packet->notes & PACKET_NOTE_IPV4_CHECKSUM) != 0;
    totals->snapped += packet->captured < packet->length;
    totals->fragments += packet->fragment != FRAGMENT_NONE;
    totals->vlan_packets += packet->vlans != 0;
    totals->tunnelled += packet->tunnel.kind != TUNNEL_NONE;
    totals->unread += packet->source.version == 0 && !packet->is_arp;
    if (packet->error_reason == DECODE_OK)
        return;
    totals->decode_errors[packet->error_layer][packet->error_reason]++;
    if (packet->error_reason == DECODE_UNSUPPORTED_LINK)
        count_unsupported(totals, true, packet->link_type);
    else if (packet->error_reason == DECODE_UNSUPPORTED_TYPE)
        count_unsupported(totals, false, packet->ether_type);
}

static void count_received(struct dispatch *dispatch, const struct frame *frame, int64_t time_ns)
{
    struct totals *totals = dispatch->totals;
    enum { LINK_TYPES = sizeof totals->link_type_packets / sizeof totals->link_type_packets[0] };
    struct interface_totals *row = ledger_row(&dispatch->ledger, frame->interface);
    row->delivered++;
    row->received_bytes += frame->length;
    row->received++;
    totals->received++;
    totals->received_bytes += frame->length;
    totals->link_type_packets[frame->link_type < LINK_TYPES ? frame->link_type : LINK_TYPES - 1]++;
    if (dispatch->number == 1 || time_ns < totals->first_packet_ns)
        totals->first_packet_ns = time_ns;
    if (dispatch->number == 1 || time_ns > totals->last_packet_ns)
        totals->last_packet_ns = time_ns;
}

// The batch with room for a packet whose bytes lie in the chunk; NULL when there is none (live).
static struct batch *batch_for(struct dispatch *dispatch, const struct chunk *chunk)
{
    if (dispatch->open == NULL || !batch_has_room(dispatch->open, chunk))
        hand_over(dispatch, dispatch->settings.lossless);
    return dispatch->open;
}

static int64_t now_at(struct dispatch *dispatch, int64_t time_ns)
{
    if (dispatch->settings.lossless)
        return packet_clock_advance(&dispatch->clock, time_ns);
    return live_clock_advance(&dispatch->live, time_ns);
}

static void fill_packet(const struct dispatch *dispatch, const struct frame *frame, int64_t time_ns,
                        struct packet *packet)
{
    packet->time_ns = time_ns;
    packet->now_ns = dispatch->now_ns;
    packet->clock_offset_ns =
        dispatch->settings.lossless ? dispatch->clock.offset_ns : dispatch->live.offset_ns;
    packet->number = dispatch->number;
    packet->bytes = frame->bytes;
    packet->captured = frame->captured;
    packet->length = frame->length;
    packet->interface = frame->interface;
    packet->link_type = frame->link_type;
    decode_packet(packet, &dispatch->settings.decode);
}

// The item is in its place in the batch, if there is one (live), and gets its key. Its bytes lie in the chunk.
__attribute__((always_inline)) static inline void add_item(struct dispatch *dispatch, struct batch *batch,
                                                           struct batch_item *item, struct chunk *chunk)
{
    struct packet *packet = &item->packet;
    const struct dispatch_settings *settings = &dispatch->settings;
    uint16_t interface = packet->interface;
    if (packet->link_interface != 0)
        packet->interface = observation_interface(packet->link_interface);
    item->has_flow = flow_key_of_packet(packet, &item->key, &item->sender);
    uint64_t hash = item->has_flow ? flow_hash(&item->key, settings->hash_seed, settings->index_seed) : 0;
    unsigned shard = dispatch->shard_of[partition_of(hash, settings->partitions)];
    if (batch == NULL || (batch->behind >> shard & 1) != 0)
        ledger_count_no_batch(&dispatch->ledger, interface);
    else
        batch_add(batch, hash, shard, chunk);
}

static __attribute__((noinline)) void send_copy(struct dispatch *dispatch, const struct packet *packet,
                                                struct chunk *chunk)
{
    struct batch *batch = batch_for(dispatch, chunk);
    struct batch_item *item = batch != NULL ? batch_place(batch) : &dispatch->nowhere;
    item->packet = *packet;
    add_item(dispatch, batch, item, chunk);
}

// Fragments whose wait is over.
static void send_waiting(struct dispatch *dispatch)
{
    struct packet packet;
    while (fragments_next(dispatch->fragments, &packet)) {
        packet.now_ns = dispatch->now_ns;
        send_copy(dispatch, &packet, NULL);
    }
    dispatch->totals->fragments_waiting = fragments_waiting(dispatch->fragments);
    dispatch->totals->datagrams_given_up = fragments_given_up(dispatch->fragments);
}

// A chunk with room for a datagram; NULL when none is free (live). The batches on their way hold them: a file's go round
// until one is given back, as nobody else would wake those who read them.
static struct chunk *chunk_for_datagram(struct dispatch *dispatch)
{
    struct chunk *chunk = dispatch->datagram;
    if (chunk != NULL && chunk->capacity - chunk->used >= REASSEMBLY_WHOLE_BYTES)
        return chunk;
    if (chunk != NULL)
        chunk_release(chunk);
    dispatch->datagram = chunk_pool_take(dispatch->datagrams, 0);
    while (dispatch->datagram == NULL && dispatch->settings.lossless) {
        hand_over(dispatch, true);
        dispatch->datagram = chunk_pool_take(dispatch->datagrams, 0);
    }
    return dispatch->datagram;
}

// The packet is a copy: those that waited for it go into its place.
static void send_fragment(struct dispatch *dispatch, struct packet packet, struct chunk *chunk)
{
    enum fragment_outcome outcome = fragments_apply(dispatch->fragments, &packet);
    struct chunk *whole = outcome == FRAGMENT_COMPLETES ? chunk_for_datagram(dispatch) : NULL;
    if (whole != NULL) {
        chunk = whole;
        whole->used += fragments_finish(dispatch->fragments, &dispatch->settings.decode,
                                        whole->bytes + whole->used, &packet);
    }
    count_understanding(dispatch->totals, &packet);
    send_waiting(dispatch);
    if (outcome != FRAGMENT_WAITS)
        send_copy(dispatch, &packet, chunk);
}

// Decodes the frame into its place in the batch.
static void send_packet(struct dispatch *dispatch, const struct frame *frame, int64_t time_ns)
{
    struct batch *batch = batch_for(dispatch, frame->chunk);
    struct batch_item *item = batch != NULL ? batch_place(batch) : &dispatch->nowhere;
    fill_packet(dispatch, frame, time_ns, &item->packet);
    if (item->packet.fragment != FRAGMENT_NONE) {
        send_fragment(dispatch, item->packet, frame->chunk);
        return;
    }
    count_understanding(dispatch->totals, &item->packet);
    add_item(dispatch, batch, item, frame->chunk);
}

bool dispatch_frame(struct dispatch *dispatch, const struct frame *frame)
{
    struct totals *totals = dispatch->totals;
    if (dispatch->settings.packet_limit != 0 && dispatch->number >= dispatch->settings.packet_limit)
        return false;
    const struct frame *as_read = frame; // what is written is what was read
    struct frame mended;
    if (__builtin_expect(frame->length > FRAME_CAPTURED_MAX, 0)) {
        mended = claims_possible_length(totals, frame);
        frame = &mended;
    }
    int64_t time_ns = claims_bounded_stamp(totals, frame->time_ns);
    advance(dispatch, now_at(dispatch, time_ns));
    dispatch->tick_packets++;
    dispatch->number++;
    count_received(dispatch, frame, time_ns);
    totals->clock_steps_back = dispatch->clock.steps_back + dispatch->live.steps;
    totals->clock_offset_ns = dispatch->clock.offset_ns + dispatch->live.offset_ns;
    for (unsigned i = 0; i < dispatch->tap_count; i++)
        tap_offer(dispatch->taps[i], as_read, dispatch->number, dispatch->settings.lossless);
    send_packet(dispatch, frame, time_ns);
    return true;
}

void dispatch_idle(struct dispatch *dispatch)
{
    if (dispatch->open != NULL && dispatch->open->count > 0)
        hand_over(dispatch, dispatch->settings.lossless);
    if (!dispatch->settings.lossless)
        advance(dispatch, live_clock_read(&dispatch->live));
}

void dispatch_polled(struct dispatch *dispatch)
{
    if (!dispatch->settings.lossless)
        live_clock_read(&dispatch->live);
}

int dispatch_wait_ms(const struct dispatch *dispatch)
{
    if (dispatch->settings.lossless)
        return FILE_WAIT_MS;
    int64_t left_ns = dispatch->tick_end_ns - dispatch->live.now_ns;
    static const int64_t look_ns = 50 * NS_PER_MS; // into mailboxes, however long a tick is
    if (left_ns > dispatch->settings.tick_ns || left_ns <= 0)
        return 1; // not begun, or the shards are behind
    if (dispatch->tick_packets > 0)
        left_ns += tick_patience_ns;
    return (int)((left_ns < look_ns ? left_ns : look_ns) / NS_PER_MS) + 1;
}

void dispatch_rest(struct dispatch *dispatch)
{
    dispatch_idle(dispatch);
    if (dispatch->open == NULL && !hand_over(dispatch, true))
        return;
    cut_tick(dispatch, dispatch->now_ns, BATCH_TICK);
}

void dispatch_end(struct dispatch *dispatch)
{
    fragments_release_all(dispatch->fragments);
    send_waiting(dispatch);
    dispatch_idle(dispatch);
    if (dispatch->open == NULL)
        hand_over(dispatch, true);
    cut_tick(dispatch, dispatch->now_ns, BATCH_SOURCE_END);
}
