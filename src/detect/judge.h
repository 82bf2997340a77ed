// The judge: the life of alerts. Detectors tell it each tick what holds; it says what is news, keeps the cool-down,
// counts what it does not tell, ends what holds no longer, and keeps within max_alerts_per_minute (the rest are counted
// in one `overflow` alert). Fixed memory; the aggregate's thread. Times are flow time.
#pragma once

#include "detect/alert.h"

struct judge;

// What a detector looks at before it fills a whole finding: the same kind and parties always give the same mark.
struct finding_key {
    uint8_t kind;                   // enum alert_kind
    uint8_t protocol;               // IP protocol number; 0 = several
    struct endpoint source, target; // version 0 = many; port 0 = any
};

struct judge_setup {
    uint32_t max_alerts_per_minute;
    void (*tell)(void *owner, const struct alert *alert); // in the order in which they were found
    void *owner;
};

struct judge *judge_create(const struct judge_setup *setup, uint64_t hash_seed); // NULL without memory
void judge_destroy(struct judge *judge);                                         // takes NULL
void judge_change(struct judge *judge, uint32_t max_alerts_per_minute);

// A tick begins: `now_ns` is its end in flow time, `offset_ns` flow time minus the packets' stamps, `loss_ratio` what
// was lost lately.
void judge_begin(struct judge *judge, int64_t now_ns, int64_t offset_ns, double loss_ratio);

// The condition of `key` holds in this tick. True when the alert is to be told now: it is new, or its cool-down is over,
// which doubles with each update up to sixteen times `cooldown_secs`: the caller fills what judge_alert() gives and calls judge_tell(). False: it was counted as suppressed.
bool judge_finds(struct judge *judge, const struct finding_key *key, uint32_t cooldown_secs);
// Zeros but for kind, protocol, fingerprint, lifecycle, times (first_seen is now, and the caller may know better), revision,
// suppressed_count, loss_ratio and a confidence of 1. The rest is the caller's but for the id, which judge_tell() makes.
struct alert *judge_alert(struct judge *judge);
void judge_tell(struct judge *judge);
// Whether an alert of this key is on: began and not ended.
bool judge_is_on(const struct judge *judge, const struct finding_key *key);

// The tick ends: what was not found for as long as its cool-down ends.
void judge_end(struct judge *judge);
// The run ends: everything ends.
void judge_finish(struct judge *judge);

struct judge_counts {
    uint64_t told[ALERT_KINDS][ALERT_SEVERITIES]; // alerts that started
    uint64_t active[ALERT_KINDS];
    uint64_t suppressed_cooldown[ALERT_KINDS], suppressed_rate[ALERT_KINDS], suppressed_allowed[ALERT_KINDS];
    uint64_t refused; // more alerts at a time than there is room for
};
const struct judge_counts *judge_counts(const struct judge *judge);
// Counts a finding that an entry of the allow list silenced.
void judge_count_allowed(struct judge *judge, enum alert_kind kind);
