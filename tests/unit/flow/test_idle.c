#include "flow/idle.h"

#include "packets.h"

struct fixture {
    struct flow_store store;
    struct idle_wheel wheel;
    int64_t timeout_ns;
};

static void begin(struct fixture *fixture, int64_t timeout_ns)
{
    cr_assert(flow_store_init(&fixture->store, 10000));
    fixture->timeout_ns = timeout_ns;
    cr_assert(idle_wheel_init(&fixture->wheel, timeout_ns));
}

static void end(struct fixture *fixture)
{
    idle_wheel_done(&fixture->wheel);
    flow_store_done(&fixture->store);
}

static uint32_t add(struct fixture *fixture, int64_t last_ns)
{
    struct flow_key key = {.protocol = IP_PROTOCOL_UDP, .ip_version = 4};
    uint32_t id = flow_store_add(&fixture->store, &key);
    flow_at(&fixture->store, id)->last_ns = TEST_START_NS + last_ns;
    idle_wheel_add(&fixture->wheel, &fixture->store, id);
    return id;
}

static void touch(struct fixture *fixture, uint32_t id, int64_t last_ns)
{
    flow_at(&fixture->store, id)->last_ns = TEST_START_NS + last_ns;
}

static uint32_t take_due(struct fixture *fixture, int64_t now_ns)
{
    if (fixture->timeout_ns == 0)
        return 0;
    int64_t end = idle_wheel_slot(&fixture->wheel, TEST_START_NS + now_ns - fixture->timeout_ns);
    return idle_wheel_take_before(&fixture->wheel, &fixture->store, end);
}

static uint32_t oldest(struct fixture *fixture)
{
    return idle_wheel_oldest(&fixture->wheel, &fixture->store);
}

// Not before its timeout, and at most one slot (a second) after it.
Test(idle, finds_a_flow_within_a_slot_of_its_timeout)
{
    struct fixture fixture;
    begin(&fixture, 60 * NS_PER_S);
    uint32_t id = add(&fixture, 300 * NS_PER_MS);
    cr_expect_eq(take_due(&fixture, 60 * NS_PER_S + 300 * NS_PER_MS), 0);
    cr_expect_eq(take_due(&fixture, 61 * NS_PER_S + 300 * NS_PER_MS), id);
    cr_expect_eq(fixture.wheel.members, 0);
    cr_expect_eq(take_due(&fixture, 1000 * NS_PER_S), 0);
    end(&fixture);
}

Test(idle, follows_a_flow_that_was_seen_again)
{
    struct fixture fixture;
    begin(&fixture, 60 * NS_PER_S);
    uint32_t quiet = add(&fixture, 0), busy = add(&fixture, 0);
    for (int second = 1; second <= 300; second++) {
        touch(&fixture, busy, second * NS_PER_S);
        uint32_t due = take_due(&fixture, second * NS_PER_S);
        cr_assert_eq(due, second == 61 ? quiet : 0, "at %d s: %u", second, due);
    }
    cr_expect_eq(take_due(&fixture, 360 * NS_PER_S), 0);
    cr_expect_eq(take_due(&fixture, 361 * NS_PER_S), busy);
    end(&fixture);
}

// Flow i is added at second i / 50 and seen last some seconds later; expiry runs every second.
Test(idle, takes_every_due_flow_and_no_other)
{
    enum { FLOWS = 5000, TIMEOUT_S = 10 };
    struct fixture fixture;
    begin(&fixture, TIMEOUT_S * NS_PER_S);
    static bool gone[FLOWS + 1];
    static uint32_t last[FLOWS + 1];
    for (uint32_t now = 0, next = 1; now <= 142; now++) {
        for (; next <= FLOWS && next / 50 == now; next++) {
            cr_assert_eq(add(&fixture, now * NS_PER_S), next);
            last[next] = now + next * 7919 % (TIMEOUT_S - 1);
        }
        for (uint32_t i = 1; i < next; i++)
            if (last[i] == now)
                touch(&fixture, i, now * NS_PER_S);
        for (uint32_t id; (id = take_due(&fixture, now * NS_PER_S)) != 0;)
            gone[id] = true;
        for (uint32_t i = 1; i < next; i++)
            cr_assert(gone[i] ? now > last[i] + TIMEOUT_S : now < last[i] + TIMEOUT_S + 2, "flow %u at %u s",
                      i, now);
    }
    cr_expect_eq(fixture.wheel.members, 0);
    end(&fixture);
}

Test(idle, never_expires_with_timeout_zero_but_knows_the_oldest)
{
    struct fixture fixture;
    begin(&fixture, 0);
    uint32_t first = add(&fixture, 0), second = add(&fixture, 100 * NS_PER_S);
    cr_expect_eq(take_due(&fixture, INT64_C(1000000) * NS_PER_S), 0);
    cr_expect_eq(oldest(&fixture), first);
    touch(&fixture, first, 200 * NS_PER_S);
    cr_expect_eq(oldest(&fixture), second);
    end(&fixture);
}

static const int64_t ten_years_ns = INT64_C(10) * 365 * 86400 * NS_PER_S;

// A leap is no work: the tick before it ends what was idle, however long.
Test(idle, leaps_over_years)
{
    struct fixture fixture;
    begin(&fixture, 60 * NS_PER_S);
    for (int second = 0; second < 60; second++)
        add(&fixture, second * NS_PER_S);
    unsigned found = 0;
    while (take_due(&fixture, ten_years_ns) != 0)
        found++;
    cr_expect_eq(found, 60);
    uint32_t after = add(&fixture, ten_years_ns);
    cr_expect_eq(take_due(&fixture, ten_years_ns + 60 * NS_PER_S), 0);
    cr_expect_eq(take_due(&fixture, ten_years_ns + 61 * NS_PER_S), after);
    end(&fixture);
}

// A flow from after the leap comes first: those from before it gather in the oldest slot that the wheel can
// tell; none is lost, and the timeout holds for the new one.
Test(idle, gathers_what_a_leap_left_behind)
{
    struct fixture fixture;
    begin(&fixture, 60 * NS_PER_S);
    uint32_t before[3] = {add(&fixture, 0), add(&fixture, 1 * NS_PER_S), add(&fixture, 59 * NS_PER_S)};
    uint32_t after = add(&fixture, ten_years_ns);
    uint32_t first = oldest(&fixture);
    cr_expect(first == before[0] || first == before[1] || first == before[2]);
    unsigned found = 0;
    for (uint32_t id; (id = take_due(&fixture, ten_years_ns + 60 * NS_PER_S)) != 0; found++)
        cr_expect_neq(id, after);
    cr_expect_eq(found, 3);
    cr_expect_eq(take_due(&fixture, ten_years_ns + 61 * NS_PER_S), after);
    end(&fixture);
}

Test(idle, gathers_on_a_wheel_that_never_expires)
{
    static const int64_t year_ns = INT64_C(365) * 86400 * NS_PER_S;
    struct fixture fixture;
    begin(&fixture, 0);
    enum { FLOWS = 200 };
    for (uint32_t i = 0; i < FLOWS; i++)
        cr_assert_eq(add(&fixture, i * year_ns / 2), i + 1);
    cr_expect_eq(fixture.wheel.members, FLOWS);
    cr_expect_neq(oldest(&fixture), FLOWS, "the newest is not the oldest");
    for (uint32_t i = 0; i < FLOWS; i++)
        idle_wheel_remove(&fixture.wheel, &fixture.store, i + 1);
    cr_expect_eq(oldest(&fixture), 0);
    for (uint32_t slot = 0; slot < fixture.wheel.slots; slot++)
        cr_assert_eq(fixture.wheel.heads[slot], 0);
    end(&fixture);
}

// To the wheel's slot: in each of them any order.
Test(idle, names_the_least_recently_seen_first)
{
    enum { FLOWS = 1000 };
    struct fixture fixture;
    begin(&fixture, 600 * NS_PER_S);
    for (uint32_t i = 0; i < FLOWS; i++)
        add(&fixture, (i * 37 % 500) * NS_PER_S);
    int64_t before = 0;
    for (uint32_t i = 0; i < FLOWS; i++) {
        uint32_t id = oldest(&fixture);
        cr_assert_neq(id, 0);
        int64_t slot = idle_wheel_slot(&fixture.wheel, flow_at(&fixture.store, id)->last_ns);
        cr_assert_geq(slot, before);
        before = slot;
        idle_wheel_remove(&fixture.wheel, &fixture.store, id);
    }
    cr_expect_eq(oldest(&fixture), 0);
    end(&fixture);
}

Test(idle, unlinks_from_the_middle_of_a_slot)
{
    struct fixture fixture;
    begin(&fixture, 60 * NS_PER_S);
    uint32_t ids[5];
    for (int i = 0; i < 5; i++)
        ids[i] = add(&fixture, 0);
    idle_wheel_remove(&fixture.wheel, &fixture.store, ids[2]);
    idle_wheel_remove(&fixture.wheel, &fixture.store, ids[4]);
    idle_wheel_remove(&fixture.wheel, &fixture.store, ids[0]);
    unsigned found = 0;
    for (uint32_t id; (id = take_due(&fixture, 100 * NS_PER_S)) != 0; found++)
        cr_expect(id == ids[1] || id == ids[3]);
    cr_expect_eq(found, 2);
    end(&fixture);
}

// The longest timeout that settings allow is 136 years: coarser slots, not more of them.
Test(idle, bounds_the_slots_of_long_timeouts)
{
    struct fixture fixture;
    int64_t timeout_ns = UINT32_MAX * NS_PER_S;
    begin(&fixture, timeout_ns);
    cr_expect_leq(fixture.wheel.slots, 1024);
    uint32_t id = add(&fixture, 0);
    cr_expect_eq(take_due(&fixture, timeout_ns - NS_PER_S), 0);
    cr_expect_eq(take_due(&fixture, timeout_ns + (INT64_C(1) << fixture.wheel.slot_shift)), id);
    end(&fixture);
}

Test(idle, drains_to_the_last_flow)
{
    struct fixture fixture;
    begin(&fixture, 60 * NS_PER_S);
    enum { FLOWS = 100 };
    bool seen[FLOWS + 1] = {0};
    for (unsigned i = 0; i < FLOWS; i++)
        add(&fixture, i % 7 * NS_PER_S);
    uint32_t slot = 0, id;
    while ((id = idle_wheel_drain(&fixture.wheel, &fixture.store, &slot)) != 0) {
        cr_assert(id <= FLOWS && !seen[id]);
        seen[id] = true;
        flow_ends_at(&fixture.store, id)->end_ns = -1; // as its end does
    }
    for (unsigned i = 1; i <= FLOWS; i++)
        cr_expect(seen[i], "flow %u", i);
    cr_expect_eq(fixture.wheel.members, 0);
    id = add(&fixture, NS_PER_S);
    cr_expect_eq(take_due(&fixture, 1000 * NS_PER_S), id, "the wheel can be used again");
    end(&fixture);
}
