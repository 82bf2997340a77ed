#include "flow/payload.h"

#include <assert.h>

#include "flow/ending.h"
#include "flow/names.h"
#include "flow/table.h"
#include "flow/tcp_segment.h"

enum { DNS_ROOM = 4096 }; // of a longer message the front is read, the rest passed by

// With data, a SYN's own number comes first (RFC 9293 3.4).
static uint32_t first_byte(const struct packet *packet)
{
    return packet->tcp.sequence + ((packet->tcp.flags & TCP_SYN) != 0);
}

static bool is_ahead(uint32_t begin, uint32_t next)
{
    return before(next, begin) && begin - next < ASSEMBLY_ROOM_MAX;
}

enum segment_place flow_place_segment(const struct flow_store *store, const struct flow *flow,
                                      const struct packet *packet, uint8_t sender, uint32_t *first)
{
    uint32_t begin = first_byte(packet);
    const struct tcp_quality *quality = flow_quality(store, flow);
    if (quality == NULL) {
        const struct tcp_opening *opening = flow_opening(store, flow);
        if (opening == NULL || sender != ((flow->marks & FLOW_MARK_CLIENT_B) != 0))
            return SEGMENT_NEXT;
        *first = opening->syn_sequence + 1;
        return is_ahead(begin, *first) ? SEGMENT_AHEAD : SEGMENT_NEXT;
    }
    const struct tcp_side *side = &quality->side[sender];
    if ((side->seen & TCP_SIDE_SEQUENCE) == 0)
        return SEGMENT_NEXT;
    if (!before(side->next_sequence, begin + packet->payload_length))
        return SEGMENT_OLD;
    *first = side->first_sequence + 1;
    bool untouched = side->next_sequence == *first && (side->seen & TCP_SIDE_SYN) != 0;
    return untouched && is_ahead(begin, *first) ? SEGMENT_AHEAD : SEGMENT_NEXT;
}

// A segment on its way through these functions.
struct reading {
    struct flow_table *table;
    struct flow_partition *partition;
    const struct flow_hit *hit;
    const struct packet *packet;
    struct dns_list *answers;
    bool cut;      // by the snap length
    bool answered; // an answer of the segment is listed
};

static void note_hello(struct flow_table *table, struct flow *flow, struct tls_hello *hello, bool several,
                       bool gap)
{
    if (hello->sni_status == SNI_COMPLETE && hello->complete && several)
        hello->sni_status = SNI_REASSEMBLED;
    else if (hello->sni_status == SNI_TRUNCATED && gap)
        hello->sni_status = SNI_GAP;
    table->payload.tls_hellos++;
    flow_note_tls(table, flow, hello);
}

// Streams.

static void close_stream(struct flow_table *table, struct flow_partition *partition, struct assembly *stream)
{
    struct flow *flow = flow_at(&table->store, stream->flow);
    struct flow_extra *extra = flow_extra(&table->store, flow);
    assert(extra != NULL && extra->stream[stream->side] == stream);
    extra->stream[stream->side] = NULL;
    if (extra->stream[!stream->side] == NULL)
        flow->extra &= ~(uint32_t)FLOW_EXTRA_STREAM;
    assembly_close(&partition->streams, stream);
}

static void tell_hello(struct flow_table *table, const struct assembly *stream, bool whole)
{
    struct tls_hello hello;
    struct flow *flow = flow_at(&table->store, stream->flow);
    if (tls_hello_of_stream(stream->bytes, assembly_front(stream), &hello))
        note_hello(table, flow, &hello, true, !whole && assembly_has_hole(stream));
}

static void tell_cut_message(struct flow_table *table, const struct assembly *stream)
{
    struct dns_message message;
    size_t taken;
    if (dns_of_stream(stream->bytes, assembly_front(stream), true, &message, &taken) != DNS_STEP_MESSAGE)
        return;
    table->payload.dns_messages++;
    table->payload.bad_messages += message.damaged;
    flow_note_cut_dns(table, flow_at(&table->store, stream->flow), &message);
}

// No more of it will come: what is there is told.
static void settle(struct flow_table *table, struct flow_partition *partition, struct assembly *stream)
{
    if (assembly_front(stream) > 0 && stream->kind == ASSEMBLY_TLS)
        tell_hello(table, stream, false);
    else if (assembly_front(stream) > 0 && stream->kind == ASSEMBLY_DNS)
        tell_cut_message(table, stream);
    close_stream(table, partition, stream);
}

// The oldest streams make room, but for one that is asked to stay.
static void make_room(struct flow_table *table, struct flow_partition *partition, uint32_t bytes,
                      const struct assembly *staying)
{
    struct assembly_pool *pool = &partition->streams;
    while (pool->bytes + bytes > ASSEMBLY_POOL_BYTES) {
        struct assembly *oldest = pool->oldest != staying ? pool->oldest : staying->newer;
        if (oldest == NULL)
            return;
        table->payload.streams_given_up++;
        settle(table, partition, oldest);
    }
}

static bool put(struct reading *reading, struct assembly *stream)
{
    const struct packet *packet = reading->packet;
    uint32_t sequence = first_byte(packet), length = packet->payload_captured;
    make_room(reading->table, reading->partition, assembly_more_bytes(stream, sequence, length), stream);
    return assembly_put(&reading->partition->streams, stream, sequence, packet_payload(packet), length);
}

// A stream that begins at this sequence number, with what the segment holds of it; NULL without memory.
static struct assembly *open_stream(struct reading *reading, enum assembly_kind kind, uint32_t base)
{
    struct flow_table *table = reading->table;
    const struct flow_hit *hit = reading->hit;
    struct flow_extra *extra = flow_need_extra(&table->store, hit->flow);
    if (extra == NULL)
        return NULL;
    assert(extra->stream[hit->sender] == NULL);
    make_room(table, reading->partition, assembly_first_bytes(reading->packet->payload_captured), NULL);
    struct assembly *stream = assembly_open(&reading->partition->streams, hit->id, hit->sender, base);
    if (stream == NULL)
        return NULL;
    stream->kind = (uint8_t)kind;
    extra->stream[hit->sender] = stream;
    hit->flow->extra |= FLOW_EXTRA_STREAM;
    if (put(reading, stream))
        return stream;
    close_stream(table, reading->partition, stream);
    return NULL;
}

// TLS.

static void read_hello_here(struct reading *reading)
{
    struct tls_hello hello;
    if (tls_hello_of_stream(packet_payload(reading->packet), reading->packet->payload_captured, &hello))
        note_hello(reading->table, reading->hit->flow, &hello, false, false);
}

static void begin_hello(struct reading *reading, enum tls_extent extent)
{
    if (reading->hit->place == SEGMENT_OLD && flow_has_hello(reading->table, reading->hit->flow))
        return;
    if (extent != TLS_EXTENT_PART || reading->cut ||
        open_stream(reading, ASSEMBLY_TLS, first_byte(reading->packet)) == NULL)
        read_hello_here(reading);
}

static void go_on_with_hello(struct reading *reading, struct assembly *stream)
{
    enum tls_extent extent = tls_hello_extent(stream->bytes, assembly_front(stream));
    if (extent == TLS_EXTENT_PART)
        return;
    if (extent == TLS_EXTENT_WHOLE)
        tell_hello(reading->table, stream, true);
    close_stream(reading->table, reading->partition, stream);
}

// DNS.

// Whether the answer is listed. One a segment is as many as other protocols' packets bring; of more, which come in a few
// bytes each, a tick's list would have no bound.
static bool may_list(struct reading *reading)
{
    bool may = !reading->answered || reading->partition->more_answers < reading->table->more_answers;
    reading->partition->more_answers += reading->answered && may;
    reading->table->payload.answers_given_up += !may;
    reading->answered = true;
    return may;
}

static void note_message(struct reading *reading, const struct dns_message *message)
{
    reading->table->payload.dns_messages++;
    reading->table->payload.bad_messages += message->damaged;
    struct dns_transaction *place = dns_list_place(reading->answers);
    if (place != NULL && flow_note_dns(reading->table, reading->hit, reading->packet, message, place))
        reading->answers->count += may_list(reading);
}

// Reads the messages at the front, as many as are whole (`last`: or cut). How many bytes are read; of the rest more is to
// come, unless *over: that is no DNS.
static uint32_t read_messages(struct reading *reading, const uint8_t *bytes, uint32_t length, bool last,
                              bool *over)
{
    struct dns_message message;
    uint32_t at = 0;
    *over = false;
    while (at < length) {
        size_t taken = 0;
        enum dns_step step = dns_of_stream(bytes + at, length - at, last, &message, &taken);
        *over = step == DNS_STEP_NONE || (step == DNS_STEP_SKIP && last);
        if (*over || step == DNS_STEP_PART)
            break;
        assert(taken > 0 && taken <= length - at);
        at += (uint32_t)taken;
        if (step == DNS_STEP_MESSAGE)
            note_message(reading, &message);
        else
            reading->table->payload.bad_messages++;
    }
    return at;
}

// The message at the front is longer than is held: it is read as far as it is at hand.
static void pass_long_message(struct reading *reading, struct assembly *stream)
{
    bool over;
    uint32_t front = assembly_front(stream),
             length = 2 + ((uint32_t)stream->bytes[0] << 8 | stream->bytes[1]);
    read_messages(reading, stream->bytes, front, true, &over);
    assembly_pass(stream, length);
}

static void go_on_with_dns(struct reading *reading, struct assembly *stream)
{
    bool over;
    uint32_t front = assembly_front(stream);
    uint32_t read = read_messages(reading, stream->bytes, front, false, &over);
    assembly_pass(stream, read);
    if (!over && assembly_front(stream) >= DNS_ROOM)
        pass_long_message(reading, stream);
    uint32_t end = first_byte(reading->packet) + reading->packet->payload_length;
    bool rests = stream->parts == 0 && !before(end, stream->base);
    if (over || rests)
        close_stream(reading->table, reading->partition, stream);
}

// Its length came in a segment that was not captured.
static void read_without_length(struct reading *reading)
{
    bool found;
    struct dns_message message;
    dns_of_packet(reading->packet, &message, &found);
    if (found)
        note_message(reading, &message);
}

static void begin_dns(struct reading *reading)
{
    bool over;
    const struct packet *packet = reading->packet;
    const uint8_t *bytes = packet_payload(packet);
    uint32_t length = packet->payload_captured;
    uint32_t read = read_messages(reading, bytes, length, reading->cut, &over);
    if (over && read == 0)
        read_without_length(reading);
    if (over || read == length)
        return;
    struct assembly *stream = open_stream(reading, ASSEMBLY_DNS, first_byte(packet) + read);
    if (stream != NULL)
        go_on_with_dns(reading, stream);
}

// On a port that does not promise DNS.
static void read_other(struct reading *reading)
{
    struct dns_message message;
    const uint8_t *bytes = packet_payload(reading->packet);
    size_t left = reading->packet->payload_captured, taken;
    if (reading->cut || reading->packet->fragment != FRAGMENT_NONE)
        return;
    for (; left > 0 && dns_of_other_stream(bytes, left, &message, &taken) == DNS_STEP_MESSAGE;
         left -= taken) {
        note_message(reading, &message);
        bytes += taken;
    }
}

// Either.

// Whether the stream is still there.
static bool tell_kind(struct reading *reading, struct assembly *stream)
{
    enum tls_extent extent = tls_hello_extent(stream->bytes, assembly_front(stream));
    if (extent != TLS_EXTENT_NONE)
        stream->kind = ASSEMBLY_TLS;
    else if (dns_is_on_port(reading->packet))
        stream->kind = ASSEMBLY_DNS;
    else
        close_stream(reading->table, reading->partition, stream);
    return extent != TLS_EXTENT_NONE || dns_is_on_port(reading->packet);
}

static bool is_whole_hello(const struct packet *packet)
{
    return tls_hello_extent(packet_payload(packet), packet->payload_captured) == TLS_EXTENT_WHOLE;
}

static void go_on(struct reading *reading, struct assembly *stream)
{
    bool first = stream->kind == ASSEMBLY_AWAITED && first_byte(reading->packet) == stream->base;
    if (first && is_whole_hello(reading->packet)) {
        close_stream(reading->table, reading->partition, stream);
        read_hello_here(reading);
        return;
    }
    if (!put(reading, stream)) {
        settle(reading->table, reading->partition, stream);
        return;
    }
    if (stream->kind == ASSEMBLY_AWAITED && (assembly_front(stream) == 0 || !tell_kind(reading, stream)))
        return;
    if (stream->kind == ASSEMBLY_TLS)
        go_on_with_hello(reading, stream);
    else
        go_on_with_dns(reading, stream);
}

static void begin(struct reading *reading)
{
    const struct packet *packet = reading->packet;
    if (reading->hit->place == SEGMENT_AHEAD) {
        open_stream(reading, ASSEMBLY_AWAITED, reading->hit->stream_first);
        return;
    }
    enum tls_extent extent = tls_hello_extent(packet_payload(packet), packet->payload_captured);
    if (extent != TLS_EXTENT_NONE)
        begin_hello(reading, extent);
    else if (reading->hit->place == SEGMENT_OLD)
        return;
    else if (dns_is_on_port(packet))
        begin_dns(reading);
    else
        read_other(reading);
}

// Most segments begin nothing, which their first bytes tell.
static inline bool may_begin(const struct flow_hit *hit, const struct packet *packet)
{
    const uint8_t *bytes = packet_payload(packet);
    uint32_t length = packet->payload_captured;
    return hit->place == SEGMENT_AHEAD || tls_may_begin(bytes, length) || dns_is_on_port(packet) ||
           dns_may_be_other_stream(bytes, length);
}

void flow_read_segment(struct flow_table *table, const struct flow_hit *hit, const struct packet *packet,
                       uint64_t hash, struct dns_list *answers)
{
    bool has_stream = (hit->flow->extra & FLOW_EXTRA_STREAM) != 0;
    if (!has_stream && !may_begin(hit, packet))
        return;
    struct reading reading = {
        .table = table,
        .partition = flow_table_partition(table, hash),
        .hit = hit,
        .packet = packet,
        .answers = answers,
        .cut = packet->payload_captured < packet->payload_length,
    };
    struct assembly *stream = has_stream ? flow_extra(&table->store, hit->flow)->stream[hit->sender] : NULL;
    if (stream != NULL)
        go_on(&reading, stream);
    else
        begin(&reading);
}

void flow_end_streams(struct flow_table *table, struct flow_partition *partition, uint32_t id)
{
    const struct flow *flow = flow_at(&table->store, id);
    for (int side = 0; side < 2 && (flow->extra & FLOW_EXTRA_STREAM) != 0; side++) {
        struct assembly *stream = flow_extra(&table->store, flow)->stream[side];
        if (stream != NULL)
            settle(table, partition, stream);
    }
}

void flow_drop_streams(struct flow_table *table, struct flow_partition *partition)
{
    while (partition->streams.oldest != NULL)
        close_stream(table, partition, partition->streams.oldest);
}
