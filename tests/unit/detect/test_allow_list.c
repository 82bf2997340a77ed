#include "detect/allow_list.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "config/settings.h"

static struct endpoint endpoint(const char *address, uint16_t port)
{
    struct endpoint endpoint = {.port = port};
    if (address != NULL)
        cr_assert(address_parse(address, &endpoint.address), "%s", address);
    return endpoint;
}

static struct allow_list *list_of(const char *entry, struct error *error)
{
    char copy[256], *items[] = {copy};
    snprintf(copy, sizeof copy, "%s", entry);
    struct string_list entries = {.items = items, .count = 1};
    return allow_list_create(&entries, error);
}

struct finding {
    const char *source;
    uint16_t source_port;
    const char *target;
    uint16_t target_port;
};

static bool covers(const char *entry, const struct finding *finding, int64_t now_ns)
{
    struct error error;
    struct allow_list *list = list_of(entry, &error);
    cr_assert_not_null(list, "%s", error.text);
    struct endpoint source = endpoint(finding->source, finding->source_port),
                    target = endpoint(finding->target, finding->target_port);
    bool covered = allow_list_covers(list, &source, &target, now_ns);
    allow_list_destroy(list);
    return covered;
}

Test(allow_list, says_who_is_covered)
{
    static const struct finding scan = {"10.1.2.3", 0, "192.0.2.1", 0}, sweep = {"10.1.2.3", 0, NULL, 9100},
                                flood = {NULL, 0, "192.0.2.1", 443}, mirror = {NULL, 53, "192.0.2.1", 0},
                                six = {"2001:db8::1", 0, NULL, 22};
    static const struct {
        const char *entry;
        const struct finding *finding;
        bool covered;
    } cases[] = {
        {"10.0.0.0/8", &scan, true},
        {"10.1.2.3", &scan, true},
        {"10.1.2.4", &scan, false},
        {"10.0.0.0/8 comment=all of ours, port=1", &scan, true},
        {"10.0.0.0/8 port=9100", &sweep, true},
        {"10.0.0.0/8 port=9000-9200", &sweep, true},
        {"10.0.0.0/8 port=9101-9200", &sweep, false},
        {"10.0.0.0/8 port=9100", &scan, false}, // many ports
        {"192.0.2.1", &scan, false},            // the target
        {"192.0.2.1 side=target", &scan, true},
        {"192.0.2.1\tside=any", &scan, true},
        {"10.1.2.3 side=any", &scan, true},
        {"0.0.0.0/0", &flood, false}, // many sources
        {"192.0.2.1 port=443 side=target", &flood, true},
        {"192.0.2.1 port=80 side=target", &flood, false},
        {"192.0.2.1 port=53 side=target", &mirror, true},
        {"0.0.0.0/0", &six, false},
        {"2001:db8::/32 port=22", &six, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(covers(cases[i].entry, cases[i].finding, 0), cases[i].covered, "%s, case %zu",
                     cases[i].entry, i);
}

// Against a look at each entry, over networks of all lengths that lie in each other.
Test(allow_list, a_long_list_says_what_its_entries_say)
{
    enum { ENTRIES = 900, LOOKS = 3000 };
    static char texts[ENTRIES][64], *items[ENTRIES];
    uint64_t state = 88172645463325252;
    struct error error;
    for (unsigned i = 0; i < ENTRIES; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        uint32_t bits = (uint32_t)(state >> 8) % 13 + 20, address = (uint32_t)(state >> 32) & 0xf0f0f0f;
        address &= bits == 32 ? 0xffffffff : ~(0xffffffffu >> bits);
        static const char *const more[] = {"", " port=80", " side=target", " side=any port=100-200"};
        snprintf(texts[i], sizeof texts[i], "%u.%u.%u.%u/%u%s", address >> 24, address >> 16 & 255,
                 address >> 8 & 255, address & 255, bits, more[i % 4]);
        items[i] = texts[i];
    }
    struct string_list all = {.items = items, .count = ENTRIES};
    struct allow_list *list = allow_list_create(&all, &error), *single[ENTRIES];
    cr_assert_not_null(list, "%s", error.text);
    for (unsigned i = 0; i < ENTRIES; i++)
        single[i] = list_of(texts[i], &error);
    unsigned covered = 0;
    for (unsigned i = 0; i < LOOKS; i++) {
        struct endpoint ends[2];
        for (unsigned side = 0; side < 2; side++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            uint8_t bytes[4] = {state & 15, state >> 8 & 15, state >> 16 & 15, state >> 24 & 15};
            ends[side] = (struct endpoint){address_v4(bytes), (uint16_t)(state >> 32 & 1 ? 80 : 150)};
        }
        bool expected = false;
        for (unsigned j = 0; j < ENTRIES; j++)
            expected |= allow_list_covers(single[j], &ends[0], &ends[1], 0);
        cr_assert_eq(allow_list_covers(list, &ends[0], &ends[1], 0), expected);
        covered += expected;
    }
    cr_expect(covered > LOOKS / 20 && covered < LOOKS - LOOKS / 20, "%u", covered);
    for (unsigned i = 0; i < ENTRIES; i++)
        allow_list_destroy(single[i]);
    allow_list_destroy(list);
}

Test(allow_list, entries_expire)
{
    static const struct finding scan = {"10.1.2.3", 0, "192.0.2.1", 0};
    int64_t midnight_ns = INT64_C(1714608000) * NS_PER_S; // 2024-05-02T00:00:00Z
    cr_expect(covers("10.1.2.3 expires=2024-05-01", &scan, midnight_ns - NS_PER_S));
    cr_expect_not(covers("10.1.2.3 expires=2024-05-01", &scan, midnight_ns));
    cr_expect(covers("10.1.2.3 expires=2024-05-01T12:00:00Z", &scan, midnight_ns - 12 * 3600 * NS_PER_S));
    cr_expect_not(covers("10.1.2.3 expires=2024-05-01T12:00:00Z", &scan, midnight_ns - 11 * 3600 * NS_PER_S));
}

Test(allow_list, what_expired_is_told_once)
{
    struct error error;
    struct allow_list *list = list_of("10.1.2.3 expires=2024-05-01 comment=tests", &error);
    int64_t midnight_ns = INT64_C(1714608000) * NS_PER_S;
    cr_expect_null(allow_list_expired(list, midnight_ns - NS_PER_S));
    cr_expect_str_eq(allow_list_expired(list, midnight_ns), "10.1.2.3 expires=2024-05-01 comment=tests");
    cr_expect_null(allow_list_expired(list, midnight_ns));
    allow_list_destroy(list);
}

Test(allow_list, refuses_with_a_sentence)
{
    static const char *const cases[][2] = {
        {"10.0.0.1/8", "host bits are 0"},
        {"prometheus.example", "not possible yet"},
        {"*.example.com port=53", "not possible yet"},
        {"10.0.0.0/8 port=0", "port must be"},
        {"10.0.0.0/8 port=1-", "port must be"},
        {"10.0.0.0/8 port=9-1", "port must be"},
        {"10.0.0.0/8 port=65536", "port must be"},
        {"10.0.0.0/8 side=both", "side must be source, target or any"},
        {"10.0.0.0/8 expires=soon", "expires must be a date"},
        {"10.0.0.0/8 expires=2024-02-30", "expires must be a date"},
        {"10.0.0.0/8 9100", "\"9100\" is none of"},
        {"  ", "is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        struct allow_list *list = list_of(cases[i][0], &error);
        cr_expect_null(list, "%s", cases[i][0]);
        cr_expect_not_null(strstr(error.text, cases[i][1]), "%s", error.text);
        cr_expect_eq(strncmp(error.text, "analysis.anomalies.allow: \"", 27), 0, "%s", error.text);
        allow_list_destroy(list);
    }
}

// What an alert says would have silenced it does.
Test(allow_list, the_entry_for_an_alert_covers_it)
{
    struct alert sweep = {.source_count = 1, .sources_total = 1, .target_count = 2, .targets_total = 30};
    sweep.source[0].endpoint = endpoint("10.1.2.3", 0);
    sweep.target[0].endpoint = endpoint("192.0.2.1", 9100);
    sweep.target[1].endpoint = endpoint("192.0.2.2", 9100);
    char entry[ALLOW_ENTRY_BYTES];
    allow_list_entry_for(&sweep, entry);
    cr_expect_str_eq(entry, "10.1.2.3 port=9100");
    cr_expect(covers(entry, &(struct finding){"10.1.2.3", 0, NULL, 9100}, 0));

    struct alert flood = {.source_count = 8, .sources_total = 5000, .target_count = 1, .targets_total = 1};
    flood.target[0].endpoint = endpoint("2001:db8::1", 443);
    allow_list_entry_for(&flood, entry);
    cr_expect_str_eq(entry, "2001:db8::1 port=443 side=target");
    cr_expect(covers(entry, &(struct finding){NULL, 0, "2001:db8::1", 443}, 0));

    struct alert overflow = {0};
    allow_list_entry_for(&overflow, entry);
    cr_expect_str_eq(entry, "");
}
