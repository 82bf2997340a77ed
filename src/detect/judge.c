#include "detect/judge.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"

enum { CASES = 1024, PLACES = 2 * CASES, NO_CASE = UINT32_MAX };
static const int64_t minute_ns = 60 * NS_PER_S;

// An alert that is on.
struct case_file {
    struct finding_key key;
    bool told;
    uint32_t cooldown_secs;
    uint32_t wait_secs; // until the next update: twice as long each time
    int64_t found_ns, told_ns;
    int64_t held_ns;    // when the minute began in which it was held back last; INT64_MIN = never
    struct alert alert; // as it was told last
};

struct judge {
    struct judge_setup setup;
    uint64_t seed;
    int64_t now_ns, offset_ns;
    double loss_ratio;
    int64_t minute_begin_ns;
    uint32_t told_this_minute;
    uint32_t held_back; // by the rate, or without a place, in this minute
    struct judge_counts counts;
    struct case_file *telling; // whose alert is being filled
    struct alert draft;
    unsigned used; // cases below it may be in use
    struct case_file *cases;
    uint32_t hashes[CASES]; // of their keys, side by side to be searched; 0 = free
};

struct judge *judge_create(const struct judge_setup *setup, uint64_t hash_seed)
{
    struct judge *judge = calloc(1, sizeof *judge);
    if (judge == NULL)
        return NULL;
    judge->setup = *setup;
    judge->seed = hash_seed;
    judge->minute_begin_ns = INT64_MIN;
    judge->cases = calloc(CASES, sizeof *judge->cases);
    if (judge->cases != NULL)
        return judge;
    free(judge);
    return NULL;
}

void judge_destroy(struct judge *judge)
{
    if (judge == NULL)
        return;
    free(judge->cases);
    free(judge);
}

void judge_change(struct judge *judge, uint32_t max_alerts_per_minute)
{
    judge->setup.max_alerts_per_minute = max_alerts_per_minute;
}

const struct judge_counts *judge_counts(const struct judge *judge)
{
    return &judge->counts;
}

void judge_count_allowed(struct judge *judge, enum alert_kind kind)
{
    assert(kind < ALERT_KINDS);
    judge->counts.suppressed_allowed[kind]++;
}

// Keys.

static bool same_endpoint(const struct endpoint *left, const struct endpoint *right)
{
    return left->port == right->port && address_compare(&left->address, &right->address) == 0;
}

static bool same_key(const struct finding_key *left, const struct finding_key *right)
{
    return left->kind == right->kind && left->protocol == right->protocol &&
           same_endpoint(&left->source, &right->source) && same_endpoint(&left->target, &right->target);
}

static uint32_t key_hash(const struct judge *judge, const struct finding_key *key)
{
    uint8_t bytes[2 + 2 * (sizeof key->source.address.bytes + 3)];
    uint8_t *at = bytes;
    const struct endpoint *endpoints[] = {&key->source, &key->target};
    *at++ = key->kind;
    *at++ = key->protocol;
    for (int i = 0; i < 2; i++) {
        memcpy(at, endpoints[i]->address.bytes, sizeof endpoints[i]->address.bytes);
        at += sizeof endpoints[i]->address.bytes;
        *at++ = endpoints[i]->address.version;
        *at++ = (uint8_t)(endpoints[i]->port >> 8);
        *at++ = (uint8_t)endpoints[i]->port;
    }
    assert(at == bytes + sizeof bytes);
    return (uint32_t)hash_bytes(bytes, sizeof bytes, judge->seed) | 1;
}

static struct case_file *find_case(const struct judge *judge, const struct finding_key *key)
{
    uint32_t hash = key_hash(judge, key);
    for (unsigned i = 0; i < judge->used; i++)
        if (judge->hashes[i] == hash && same_key(&judge->cases[i].key, key))
            return &judge->cases[i];
    return NULL;
}

bool judge_is_on(const struct judge *judge, const struct finding_key *key)
{
    return find_case(judge, key) != NULL;
}

// One place is kept for the overflow, which tells of those that found none.
static struct case_file *open_case(struct judge *judge, const struct finding_key *key)
{
    unsigned place = 0, places = key->kind == ALERT_OVERFLOW ? CASES : CASES - 1;
    while (place < places && judge->hashes[place] != 0)
        place++;
    if (place == places)
        return NULL;
    if (place >= judge->used)
        judge->used = place + 1;
    struct case_file *file = &judge->cases[place];
    *file = (struct case_file){.key = *key, .found_ns = judge->now_ns, .held_ns = INT64_MIN};
    judge->hashes[place] = key_hash(judge, key);
    judge->counts.active[key->kind]++;
    return file;
}

// A digest as 32 hex digits.
static void digest_text(const void *bytes, size_t length, char into[ALERT_ID_BYTES])
{
    uint8_t digest[HASH_DIGEST_BYTES];
    hash_digest(bytes, length, digest);
    for (unsigned i = 0; i < HASH_DIGEST_BYTES; i++)
        snprintf(into + 2 * i, 3, "%02x", digest[i]);
}

static void make_fingerprint(const struct finding_key *key, char into[ALERT_ID_BYTES])
{
    char text[2 * ENDPOINT_TEXT_BYTES + 64], source[ENDPOINT_TEXT_BYTES], target[ENDPOINT_TEXT_BYTES];
    int length = snprintf(text, sizeof text, "%s %u %s %s", alert_kind_name((enum alert_kind)key->kind),
                          (unsigned)key->protocol, endpoint_format(&key->source, source),
                          endpoint_format(&key->target, target));
    assert(length > 0 && (size_t)length < sizeof text);
    digest_text(text, (size_t)length, into);
}

static void make_id(struct alert *alert)
{
    char text[ALERT_ID_BYTES + 32];
    int length = snprintf(text, sizeof text, "%s %" PRId64, alert->fingerprint, alert->first_seen_ns);
    assert(length > 0 && (size_t)length < sizeof text);
    digest_text(text, (size_t)length, alert->id);
}

// The rate.

static bool rate_allows(struct judge *judge)
{
    return judge->setup.max_alerts_per_minute == 0 ||
           judge->told_this_minute < judge->setup.max_alerts_per_minute;
}

static void hold_back(struct judge *judge, struct case_file *file)
{
    judge->counts.suppressed_rate[file->key.kind]++;
    judge->held_back += file->held_ns != judge->minute_begin_ns; // an alert once, however often it is found
    file->held_ns = judge->minute_begin_ns;
    file->alert.suppressed_count++;
}

bool judge_finds(struct judge *judge, const struct finding_key *key, uint32_t cooldown_secs)
{
    assert(judge->telling == NULL && key->kind < ALERT_KINDS);
    struct case_file *file = find_case(judge, key);
    bool is_new = file == NULL;
    if (is_new && (file = open_case(judge, key)) == NULL) {
        judge->counts.refused++;
        judge->held_back++;
        return false;
    }
    file->found_ns = judge->now_ns;
    file->cooldown_secs = cooldown_secs;
    if (file->told && judge->now_ns - file->told_ns < file->wait_secs * NS_PER_S) {
        judge->counts.suppressed_cooldown[key->kind]++;
        file->alert.suppressed_count++;
        return false;
    }
    if (!rate_allows(judge)) {
        hold_back(judge, file);
        return false;
    }
    judge->telling = file;
    return true;
}

struct alert *judge_alert(struct judge *judge)
{
    const struct case_file *file = judge->telling;
    assert(file != NULL);
    const struct finding_key *key = &file->key;
    int64_t stamp_ns = judge->now_ns - judge->offset_ns;
    judge->draft = (struct alert){
        .kind = key->kind,
        .lifecycle = file->told ? ALERT_UPDATED : ALERT_STARTED,
        .protocol = key->protocol,
        .revision = file->alert.revision + 1,
        .ts_ns = stamp_ns,
        .first_seen_ns = stamp_ns,
        .last_seen_ns = stamp_ns,
        .suppressed_count = file->alert.suppressed_count,
        .loss_ratio = judge->loss_ratio,
        .confidence = 1,
    };
    make_fingerprint(key, judge->draft.fingerprint);
    return &judge->draft;
}

static void give_out(struct judge *judge, const struct alert *alert)
{
    judge->setup.tell(judge->setup.owner, alert);
}

// What goes on is told less and less often.
static uint32_t next_wait(const struct case_file *file)
{
    enum { LONGEST = 16 };
    uint32_t most = file->cooldown_secs * LONGEST;
    if (!file->told)
        return file->cooldown_secs;
    return file->wait_secs < most / 2 ? file->wait_secs * 2 : most;
}

void judge_tell(struct judge *judge)
{
    struct case_file *file = judge->telling;
    assert(file != NULL);
    judge->telling = NULL;
    struct alert *alert = &judge->draft;
    if (file->told)
        alert->first_seen_ns = file->alert.first_seen_ns;
    alert->severity_at_start = file->told ? file->alert.severity_at_start : alert->severity;
    make_id(alert);
    file->wait_secs = next_wait(file);
    if (!file->told)
        judge->counts.told[alert->kind][alert->severity]++;
    give_out(judge, alert);
    judge->told_this_minute += alert->kind != ALERT_OVERFLOW;
    file->told = true;
    file->told_ns = judge->now_ns;
    file->alert = *alert;
    file->alert.suppressed_count = 0;
}

static void close_case(struct judge *judge, struct case_file *file)
{
    if (file->told) {
        struct alert *alert = &file->alert;
        alert->lifecycle = ALERT_ENDED;
        alert->revision++;
        alert->ts_ns = judge->now_ns - judge->offset_ns;
        alert->last_seen_ns = file->found_ns - judge->offset_ns;
        give_out(judge, alert);
    }
    judge->counts.active[file->key.kind]--;
    judge->hashes[file - judge->cases] = 0;
}

// What was held back in the minute that is over, as one alert.
static void tell_overflow(struct judge *judge)
{
    const struct finding_key key = {.kind = ALERT_OVERFLOW};
    uint32_t held_back = judge->held_back, most = judge->setup.max_alerts_per_minute;
    judge->held_back = judge->told_this_minute = 0;
    if (held_back == 0 || !judge_finds(judge, &key, 0))
        return;
    struct alert *alert = judge_alert(judge);
    alert->severity = ALERT_MEDIUM;
    alert->window_secs = 60;
    alert->observed = held_back;
    alert->threshold = most;
    alert->measure_count = 1;
    alert->measure[0] = (struct alert_measure){"alerts that were not told in a minute",
                                               "analysis.anomalies.max_alerts_per_minute", held_back, 1, 0};
    snprintf(alert->description, sizeof alert->description,
             "%u further alerts in a minute were not told: %u alerts a minute and %u at a time are the most",
             (unsigned)held_back, (unsigned)most, CASES - 1);
    judge_tell(judge);
}

void judge_begin(struct judge *judge, int64_t now_ns, int64_t offset_ns, double loss_ratio)
{
    assert(judge->minute_begin_ns == INT64_MIN || now_ns >= judge->now_ns);
    judge->now_ns = now_ns;
    judge->offset_ns = offset_ns;
    judge->loss_ratio = loss_ratio;
    if (judge->minute_begin_ns != INT64_MIN && now_ns - judge->minute_begin_ns < minute_ns)
        return;
    tell_overflow(judge);
    judge->minute_begin_ns = now_ns;
}

// How long a case stays open without findings: what its detector looks back on, and its cool-down at least.
static int64_t rest_of(const struct case_file *file)
{
    enum { SILENCE_SECS = 900 };
    uint32_t span_secs = file->told && file->alert.window_secs == 0 ? SILENCE_SECS : file->alert.window_secs;
    return (span_secs > file->cooldown_secs ? span_secs : file->cooldown_secs) * NS_PER_S;
}

void judge_end(struct judge *judge)
{
    assert(judge->telling == NULL);
    for (unsigned i = 0; i < judge->used; i++) {
        struct case_file *file = &judge->cases[i];
        if (judge->hashes[i] != 0 && judge->now_ns - file->found_ns > rest_of(file))
            close_case(judge, file);
    }
    while (judge->used > 0 && judge->hashes[judge->used - 1] == 0)
        judge->used--;
}

void judge_finish(struct judge *judge)
{
    tell_overflow(judge);
    for (unsigned i = 0; i < judge->used; i++)
        if (judge->hashes[i] != 0)
            close_case(judge, &judge->cases[i]);
    judge->used = 0;
}
