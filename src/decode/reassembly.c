#include "decode/reassembly.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT_BYTES = 8, UNITS = 8192, DATAGRAM_BYTES = UNITS * UNIT_BYTES, IPV4_BYTES = 20, IPV6_BYTES = 40 };
enum { LINK_TYPE_RAW = 101, LONGEST = 65535 };

struct place {
    uint32_t ticket;  // 0 = free
    uint32_t end;     // bytes of the datagram; 0 = not known yet
    uint32_t reach;   // end of the part that reaches furthest
    uint32_t have;    // units
    uint8_t protocol; // of the part that it begins with
    uint64_t seen[UNITS / 64];
    uint8_t bytes[DATAGRAM_BYTES];
};
_Static_assert(sizeof(struct place) == 66584, "as reassembly.h says");

struct reassembly {
    unsigned places;
    uint32_t tickets; // given so far
    uint64_t given_up;
    struct place *place;
};

struct reassembly *reassembly_create(unsigned places)
{
    assert(places > 0);
    struct reassembly *reassembly = calloc(1, sizeof *reassembly);
    if (reassembly == NULL)
        return NULL;
    reassembly->places = places;
    reassembly->place = calloc(places, sizeof *reassembly->place);
    if (reassembly->place != NULL)
        return reassembly;
    free(reassembly);
    return NULL;
}

void reassembly_destroy(struct reassembly *reassembly)
{
    if (reassembly == NULL)
        return;
    free(reassembly->place);
    free(reassembly);
}

size_t reassembly_bytes(unsigned places)
{
    return sizeof(struct reassembly) + places * sizeof(struct place);
}

static struct place *place_of(const struct reassembly *reassembly, uint32_t ticket)
{
    struct place *place = &reassembly->place[ticket % reassembly->places];
    return ticket != 0 && place->ticket == ticket ? place : NULL;
}

bool reassembly_is_valid(const struct reassembly *reassembly, uint32_t ticket)
{
    return place_of(reassembly, ticket) != NULL;
}

static void give_up(struct reassembly *reassembly, struct place *place)
{
    assert(place->ticket != 0);
    place->ticket = 0;
    reassembly->given_up++;
}

void reassembly_give_up(struct reassembly *reassembly, uint32_t ticket)
{
    struct place *place = place_of(reassembly, ticket);
    if (place != NULL)
        give_up(reassembly, place);
}

void reassembly_give_up_all(struct reassembly *reassembly)
{
    for (unsigned i = 0; i < reassembly->places; i++)
        if (reassembly->place[i].ticket != 0)
            give_up(reassembly, &reassembly->place[i]);
}

uint64_t reassembly_given_up(const struct reassembly *reassembly)
{
    return reassembly->given_up;
}

uint32_t reassembly_begin(struct reassembly *reassembly)
{
    uint32_t ticket = ++reassembly->tickets != 0 ? reassembly->tickets : ++reassembly->tickets;
    struct place *place = &reassembly->place[ticket % reassembly->places];
    if (place->ticket != 0)
        give_up(reassembly, place);
    place->ticket = ticket;
    place->end = place->reach = place->have = 0;
    place->protocol = 0;
    memset(place->seen, 0, sizeof place->seen);
    return ticket;
}

static void note_units(struct place *place, uint32_t first, uint32_t count)
{
    assert(first + count <= UNITS);
    for (uint32_t unit = first, end = first + count; unit < end; unit = (unit / 64 + 1) * 64) {
        uint64_t from = UINT64_MAX << unit % 64;
        uint64_t units = end / 64 > unit / 64 ? from : from & ((UINT64_C(1) << end % 64) - 1);
        place->have += (uint32_t)__builtin_popcountll(units & ~place->seen[unit / 64]);
        place->seen[unit / 64] |= units;
    }
}

// Parts but the last are of whole units; none lies behind the end.
static bool contradicts(const struct place *place, const struct packet *packet, uint32_t begin,
                        uint32_t length)
{
    uint32_t end = begin + length;
    if (length == 0 || end > LONGEST || (packet->fragment_more && length % UNIT_BYTES != 0))
        return true;
    if (!packet->fragment_more && end < place->reach)
        return true;
    return place->end != 0 && (end > place->end || (!packet->fragment_more && end != place->end));
}

// All units lie before the end: as many as fit there are all of them.
static bool is_whole(const struct place *place)
{
    assert(place->end == 0 || place->reach <= place->end);
    bool whole = place->end != 0 && place->have == (place->end + UNIT_BYTES - 1) / UNIT_BYTES;
    assert(!whole || (place->seen[0] & 1) != 0);
    return whole;
}

bool reassembly_add(struct reassembly *reassembly, uint32_t ticket, const struct packet *packet)
{
    struct place *place = place_of(reassembly, ticket);
    if (place == NULL)
        return false;
    uint32_t behind = packet->payload_offset + packet->payload_captured;
    assert(packet->fragment_at <= behind && packet->payload_captured >= packet->payload_length);
    uint32_t begin = (uint32_t)packet->fragment_place * UNIT_BYTES, length = behind - packet->fragment_at;
    if (contradicts(place, packet, begin, length)) {
        give_up(reassembly, place);
        return false;
    }
    memcpy(place->bytes + begin, packet->bytes + packet->fragment_at, length);
    note_units(place, packet->fragment_place, (length + UNIT_BYTES - 1) / UNIT_BYTES);
    if (packet->fragment_place == 0)
        place->protocol = packet->fragment_protocol;
    if (!packet->fragment_more)
        place->end = begin + length;
    if (begin + length > place->reach)
        place->reach = begin + length;
    return is_whole(place);
}

// A total that does not fit counts to the end of the frame: 0.
static uint32_t write_header(const struct packet *packet, const struct place *place, uint8_t *into)
{
    assert(place->end <= LONGEST);
    memset(into, 0, IPV6_BYTES);
    if (packet->source.version == 4) {
        into[0] = 0x45;
        uint32_t total = place->end + IPV4_BYTES;
        bytes_put_u16(into + 2, (uint16_t)(total <= LONGEST ? total : 0));
        into[8] = packet->ttl;
        into[9] = place->protocol;
        memcpy(into + 12, packet->source.bytes, 4);
        memcpy(into + 16, packet->target.bytes, 4);
        return IPV4_BYTES;
    }
    into[0] = 0x60;
    bytes_put_u16(into + 4, (uint16_t)place->end);
    into[6] = place->protocol;
    into[7] = packet->ttl;
    memcpy(into + 8, packet->source.bytes, 16);
    memcpy(into + 24, packet->target.bytes, 16);
    return IPV6_BYTES;
}

// What the datagram does not tell: the frame that brought its last part.
static void keep_frame(struct packet *whole, const struct packet *part)
{
    whole->length = part->length;
    whole->captured = part->captured;
    whole->link_type = part->link_type;
    whole->notes = part->notes;
    whole->ether_type = part->ether_type;
    whole->vlans = part->vlans;
    memcpy(whole->vlan, part->vlan, sizeof whole->vlan);
    whole->link_interface = part->link_interface;
    whole->fragment_id = part->fragment_id;
    whole->fragment = FRAGMENT_WHOLE;
    if (whole->tunnel.kind == TUNNEL_NONE)
        whole->tunnel = part->tunnel;
}

size_t reassembly_finish(struct reassembly *reassembly, uint32_t ticket, const struct decode_options *options,
                         uint8_t into[REASSEMBLY_WHOLE_BYTES], struct packet *packet)
{
    struct place *place = place_of(reassembly, ticket);
    assert(place != NULL && place->end != 0 && packet->source.version != 0);
    struct packet whole = *packet;
    uint32_t header = write_header(packet, place, into);
    memcpy(into + header, place->bytes, place->end);
    place->ticket = 0;
    whole.bytes = into;
    whole.captured = whole.length = header + place->end;
    whole.link_type = LINK_TYPE_RAW;
    decode_packet(&whole, options);
    keep_frame(&whole, packet);
    *packet = whole;
    return header + place->end;
}
