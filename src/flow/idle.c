#include "flow/idle.h"

#include <assert.h>
#include <stdlib.h>

enum { IDLE_SLOTS_MAXIMUM = 1024, IDLE_SLACK = 4, SLOT_SHIFT = 30, NEVER_SLOT_SHIFT = 34 };

uint8_t idle_slot_shift(int64_t timeout_ns)
{
    assert(timeout_ns >= 0);
    uint8_t shift = timeout_ns == 0 ? NEVER_SLOT_SHIFT : SLOT_SHIFT;
    while ((timeout_ns >> shift) + IDLE_SLACK > IDLE_SLOTS_MAXIMUM)
        shift++;
    return shift;
}

bool idle_wheel_init(struct idle_wheel *wheel, int64_t timeout_ns)
{
    uint8_t shift = idle_slot_shift(timeout_ns);
    uint32_t slots = timeout_ns == 0 ? IDLE_SLOTS_MAXIMUM : 8;
    while (slots < (timeout_ns >> shift) + IDLE_SLACK)
        slots *= 2;

    assert(slots <= IDLE_SLOTS_MAXIMUM);
    *wheel = (struct idle_wheel){.slot_shift = shift, .slots = slots};
    wheel->heads = calloc(slots, sizeof *wheel->heads);
    return wheel->heads != NULL;
}

void idle_wheel_done(struct idle_wheel *wheel)
{
    free(wheel->heads);
    *wheel = (struct idle_wheel){0};
}

static uint32_t slot_of(const struct idle_wheel *wheel, int64_t number)
{
    return (uint32_t)number & (wheel->slots - 1);
}

static struct idle_links *links_at(const struct flow_store *store, uint32_t id)
{
    assert(id != 0);
    return &flow_ends_at(store, id)->idle;
}

static void link_first(struct idle_wheel *wheel, const struct flow_store *store, uint32_t id, uint32_t slot)
{
    assert(slot < wheel->slots && wheel->heads[slot] != id);
    struct idle_links *links = links_at(store, id);
    *links = (struct idle_links){.next = wheel->heads[slot], .previous = IDLE_FIRST | slot};
    if (links->next != 0)
        links_at(store, links->next)->previous = id;
    wheel->heads[slot] = id;
}

// The slot of which a flow is the first, by its way back.
static uint32_t first_slot(const struct idle_wheel *wheel, uint32_t previous)
{
    uint32_t slot = previous & ~(uint32_t)IDLE_FIRST;
    assert(slot < wheel->slots); // else it is on another wheel
    return slot;
}

static void unlink_flow(struct idle_wheel *wheel, const struct flow_store *store, uint32_t id)
{
    struct idle_links links = *links_at(store, id);
    uint32_t *way_here = (links.previous & IDLE_FIRST) != 0 ? &wheel->heads[first_slot(wheel, links.previous)]
                                                            : &links_at(store, links.previous)->next;
    assert(*way_here == id);
    *way_here = links.next;
    if (links.next != 0) {
        struct idle_links *next = links_at(store, links.next);
        assert(next->previous == id);
        next->previous = links.previous;
    }
}

// Flows of the slots before `oldest` gather in it: they are older than the wheel can tell.
static void gather_old(struct idle_wheel *wheel, const struct flow_store *store, int64_t oldest)
{
    uint32_t into = slot_of(wheel, oldest);
    assert(oldest >= wheel->oldest);
    int64_t steps = oldest - wheel->oldest;
    for (int64_t i = 0; i < steps && i < (int64_t)wheel->slots; i++) {
        uint32_t from = slot_of(wheel, wheel->oldest + i);
        while (from != into && wheel->heads[from] != 0) {
            uint32_t id = wheel->heads[from];
            unlink_flow(wheel, store, id);
            link_first(wheel, store, id, into);
        }
    }
    wheel->oldest = oldest;
}

void idle_wheel_add(struct idle_wheel *wheel, const struct flow_store *store, uint32_t id)
{
    int64_t number = idle_wheel_slot(wheel, flow_at(store, id)->last_ns);
    if (wheel->members++ == 0)
        wheel->oldest = number;
    if (number < wheel->oldest)
        number = wheel->oldest;
    // A quarter of the wheel at once, so that gathering costs little even where nothing ever expires.
    if (number - wheel->oldest >= (int64_t)wheel->slots)
        gather_old(wheel, store, number - (int64_t)wheel->slots * 3 / 4);
    assert(number >= wheel->oldest && number - wheel->oldest < (int64_t)wheel->slots);
    link_first(wheel, store, id, slot_of(wheel, number));
}

void idle_wheel_remove(struct idle_wheel *wheel, const struct flow_store *store, uint32_t id)
{
    assert(wheel->members > 0);
    wheel->members--;
    unlink_flow(wheel, store, id);
}

// Files the first flow of the oldest slot where its last packet belongs. Whether it moved.
static bool refile_first(struct idle_wheel *wheel, const struct flow_store *store, uint32_t id)
{
    if (idle_wheel_slot(wheel, flow_at(store, id)->last_ns) <= wheel->oldest)
        return false;
    idle_wheel_remove(wheel, store, id);
    idle_wheel_add(wheel, store, id);
    return true;
}

// The first flow of the oldest slot that really was last seen then; advances to the first slot with one,
// but not to `end`. 0 = none before it.
static uint32_t first_before(struct idle_wheel *wheel, const struct flow_store *store, int64_t end)
{
    while (wheel->members > 0 && wheel->oldest < end) {
        uint32_t id = wheel->heads[slot_of(wheel, wheel->oldest)];
        if (id == 0)
            wheel->oldest++;
        else if (!refile_first(wheel, store, id))
            return id;
    }
    return 0;
}

PREFETCHING void prefetch_flow(const struct flow_store *store, uint32_t id)
{
    if (id != 0)
        flow_prefetch(store, id);
}

uint32_t idle_wheel_take_before(struct idle_wheel *wheel, const struct flow_store *store, int64_t end)
{
    uint32_t id = first_before(wheel, store, end);
    if (id == 0)
        return 0;
    prefetch_flow(store, links_at(store, id)->next);
    idle_wheel_remove(wheel, store, id);
    return id;
}

// The neighbour's way back is not mended: nobody goes it any more.
uint32_t idle_wheel_drain(struct idle_wheel *wheel, const struct flow_store *store, uint32_t *slot)
{
    while (*slot < wheel->slots && wheel->heads[*slot] == 0)
        ++*slot;
    if (*slot == wheel->slots)
        return 0;
    uint32_t id = wheel->heads[*slot];
    wheel->heads[*slot] = links_at(store, id)->next;
    prefetch_flow(store, wheel->heads[*slot]);
    assert(wheel->members > 0);
    wheel->members--;
    return id;
}

uint32_t idle_wheel_oldest(struct idle_wheel *wheel, const struct flow_store *store)
{
    return first_before(wheel, store, INT64_MAX);
}
