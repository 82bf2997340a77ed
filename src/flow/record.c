#include "flow/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "decode/packet.h"

const char *tcp_state_name(enum tcp_state state)
{
    static const char *const names[] = {
        [TCP_STATE_NONE] = "none",
        [TCP_STATE_UNKNOWN] = "unknown",
        [TCP_STATE_SYN_SENT] = "syn_sent",
        [TCP_STATE_SYN_ACK] = "syn_ack",
        [TCP_STATE_ESTABLISHED] = "established",
        [TCP_STATE_FIN_WAIT] = "fin_wait",
        [TCP_STATE_CLOSED] = "closed",
        [TCP_STATE_RESET] = "reset",
    };
    return names[state];
}

const char *conn_state_name(enum conn_state state)
{
    static const char *const names[CONN_STATES] = {
        [CONN_STATE_UNKNOWN] = "",      [CONN_STATE_S0] = "S0",       [CONN_STATE_S1] = "S1",
        [CONN_STATE_SF] = "SF",         [CONN_STATE_REJ] = "REJ",     [CONN_STATE_S2] = "S2",
        [CONN_STATE_S3] = "S3",         [CONN_STATE_RSTO] = "RSTO",   [CONN_STATE_RSTR] = "RSTR",
        [CONN_STATE_RSTOS0] = "RSTOS0", [CONN_STATE_RSTRH] = "RSTRH", [CONN_STATE_SH] = "SH",
        [CONN_STATE_SHR] = "SHR",       [CONN_STATE_OTH] = "OTH",
    };
    return names[state];
}

bool end_is_inconclusive(enum end_reason reason, int64_t first_seen_ns, int64_t end_ns)
{
    static const int64_t answer_wait_ns = 2 * NS_PER_S;
    return reason == END_EVICTION && end_ns - first_seen_ns < answer_wait_ns;
}

const char *end_reason_name(enum end_reason reason)
{
    static const char *const names[END_REASONS] = {
        [END_TIMEOUT] = "timeout", [END_ACTIVE] = "active", [END_EVICTION] = "eviction",
        [END_CLOSED] = "closed",   [END_RESET] = "reset",   [END_REUSE] = "reuse",
        [END_RUN] = "end",
    };
    return names[reason];
}

const char *flow_app_name(enum flow_app app)
{
    static const char *const names[FLOW_APPS] = {
        [FLOW_APP_NONE] = "none", [FLOW_APP_DNS] = "dns", [FLOW_APP_TLS] = "tls"};
    return names[app];
}

const struct flow_names flow_names_none = {
#define FLOW_TEXT_NONE(NAME, field) [FLOW_TEXT_##NAME] = "",
    .text = {FLOW_TEXT_ROWS(FLOW_TEXT_NONE)[FLOW_TEXT_OFFER] = ""},
#undef FLOW_TEXT_NONE
    .facts = {.dns_rcode = -1},
};

// The texts behind the copy, each cut to what one may take.
static void put_texts(const struct flow_names *names, const size_t lengths[FLOW_TEXTS],
                      struct flow_names *into)
{
    char *at = (char *)(into + 1);
    for (unsigned i = 0; i < FLOW_TEXTS; i++) {
        memcpy(at, names->text[i], lengths[i]);
        at[lengths[i]] = '\0';
        into->text[i] = at;
        at += lengths[i] + 1;
    }
}

struct flow_names *flow_names_copy(const struct flow_names *names)
{
    size_t lengths[FLOW_TEXTS], bytes = FLOW_TEXTS;
    for (unsigned i = 0; i < FLOW_TEXTS; i++)
        bytes += lengths[i] = strnlen(names->text[i], flow_text_longest(i));
    struct flow_names *copy = malloc(sizeof *copy + bytes);
    if (copy == NULL)
        return NULL;
    _Static_assert(FLOW_TEXTS * (FLOW_TEXT_LONGEST + 1) + FLOW_OFFER_LONGEST <= UINT16_MAX,
                   "the length of all texts is told");
    copy->facts = names->facts;
    copy->text_bytes = (uint16_t)bytes;
    put_texts(names, lengths, copy);
    return copy;
}

void flow_names_free(struct flow_names *names)
{
    free(names);
}

static int compare_i64(int64_t left, int64_t right)
{
    return (left > right) - (left < right);
}

static int compare_endpoints(const struct endpoint *left, const struct endpoint *right)
{
    int order = address_compare(&left->address, &right->address);
    return order != 0 ? order : compare_i64(left->port, right->port);
}

int flow_record_compare_keys(const struct flow_record *left, const struct flow_record *right)
{
    int order = compare_i64(left->protocol, right->protocol);
    for (int side = 0; side < 2 && order == 0; side++)
        order = compare_endpoints(&left->endpoint[side], &right->endpoint[side]);
    if (order == 0)
        order = compare_i64(left->tunnel.key_kind, right->tunnel.key_kind);
    if (order == 0)
        order = (left->tunnel.key > right->tunnel.key) - (left->tunnel.key < right->tunnel.key);
    if (order == 0)
        order = compare_i64(left->first_seen_ns, right->first_seen_ns);
    if (order == 0)
        order = compare_i64(left->began_ns, right->began_ns);
    if (order == 0)
        order = compare_i64(left->ordinal, right->ordinal);
    return order != 0 ? order : compare_i64(left->record_seq, right->record_seq);
}

int flow_record_compare(const struct flow_record *left, const struct flow_record *right)
{
    int order = compare_i64(left->end_ns, right->end_ns);
    return order != 0 ? order : flow_record_compare_keys(left, right);
}

static uint8_t *put_number(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    return at + bytes;
}

// So that earlier times have lesser bytes.
static uint8_t *put_time(uint8_t *at, int64_t time_ns)
{
    return put_number(at, (uint64_t)time_ns ^ UINT64_C(1) << 63, sizeof time_ns);
}

static uint8_t *put_key(uint8_t *at, const struct flow_record *record)
{
    *at++ = record->protocol;
    for (int side = 0; side < 2; side++) {
        const struct endpoint *endpoint = &record->endpoint[side];
        *at++ = endpoint->address.version;
        memcpy(at, endpoint->address.bytes, sizeof endpoint->address.bytes);
        at = put_number(at + sizeof endpoint->address.bytes, endpoint->port, sizeof endpoint->port);
    }
    *at++ = record->tunnel.key_kind;
    bool outside = record->tunnel.key_kind == TUNNEL_NONE;
    return put_number(at, record->tunnel.key, outside ? sizeof record->tunnel.id : sizeof record->tunnel.key);
}

void flow_record_sort_key(const struct flow_record *record, uint8_t into[FLOW_SORT_KEY_BYTES])
{
    uint8_t *at = put_key(put_time(into, record->end_ns), record);
    at = put_time(at, record->first_seen_ns);
    at = put_time(at, record->began_ns);
    at = put_number(at, record->ordinal, sizeof record->ordinal);
    at = put_number(at, record->record_seq, sizeof record->record_seq);
    assert(at <= into + FLOW_SORT_KEY_BYTES);
    memset(at, 0, (size_t)(into + FLOW_SORT_KEY_BYTES - at));
}

void flow_record_id_bytes(const struct flow_record *record, uint8_t into[FLOW_ID_BYTES])
{
    uint8_t named[FLOW_SORT_KEY_BYTES];
    uint8_t *at = put_time(put_key(named, record), record->began_ns);
    at = put_number(at, record->ordinal, sizeof record->ordinal);
    _Static_assert((int)FLOW_ID_BYTES == (int)HASH_DIGEST_BYTES, "an id is a digest");
    hash_digest(named, (size_t)(at - named), into);
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool flow_id_decode(const char *text, uint8_t into[FLOW_ID_BYTES])
{
    for (unsigned i = 0; i < FLOW_ID_BYTES; i++, text += 2) {
        int high = digit_value(text[0]), low = high >= 0 ? digit_value(text[1]) : -1;
        if (low < 0)
            return false;
        into[i] = (uint8_t)(high << 4 | low);
    }
    return *text == '\0';
}

void flow_record_id(const struct flow_record *record, char into[FLOW_ID_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[FLOW_ID_BYTES];
    flow_record_id_bytes(record, digest);
    _Static_assert(2 * HASH_DIGEST_BYTES + 1 == FLOW_ID_TEXT_BYTES, "two digits a byte");
    for (unsigned i = 0; i < HASH_DIGEST_BYTES; i++) {
        into[2 * i] = digits[digest[i] >> 4];
        into[2 * i + 1] = digits[digest[i] & 0xf];
    }
    into[2 * HASH_DIGEST_BYTES] = '\0';
}
