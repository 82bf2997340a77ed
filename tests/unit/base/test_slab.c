#include "base/slab.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "base/poison.h"

enum { NODE_BYTES = 24, CAPACITY = 300000 };

static bool is_zero(const uint8_t *bytes)
{
    for (unsigned i = 0; i < NODE_BYTES; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

Test(slab, numbers_nodes_from_one_and_zeroes_them)
{
    struct slab slab;
    cr_assert(slab_init(&slab, NODE_BYTES, CAPACITY));
    cr_expect_eq(slab_bytes(&slab), 0, "nothing until it is needed");
    for (uint32_t id = 1; id <= CAPACITY; id++) {
        cr_assert_eq(slab_take(&slab), id);
        cr_assert(is_zero(slab_at(&slab, id)));
        memset(slab_at(&slab, id), 0xff, NODE_BYTES);
    }
    cr_expect_eq(slab.used, CAPACITY);
    cr_expect_eq(slab_bytes(&slab), (size_t)CAPACITY * NODE_BYTES);
    slab_done(&slab);
    cr_expect_eq(slab.used, 0);
}

Test(slab, says_when_all_are_out)
{
    struct slab slab;
    cr_assert(slab_init(&slab, NODE_BYTES, 3));
    for (uint32_t id = 1; id <= 3; id++)
        cr_assert_eq(slab_take(&slab), id);
    cr_expect_eq(slab_take(&slab), 0);
    slab_free(&slab, 2);
    cr_expect_eq(slab_take(&slab), 2);
    cr_expect_eq(slab_take(&slab), 0);
    slab_done(&slab);
}

Test(slab, reuses_what_was_freed_last_and_zeroes_it_again)
{
    struct slab slab;
    cr_assert(slab_init(&slab, NODE_BYTES, CAPACITY));
    for (int i = 0; i < 10; i++)
        memset(slab_at(&slab, slab_take(&slab)), 0xff, NODE_BYTES);
    slab_free(&slab, 4);
    slab_free(&slab, 7);
    cr_expect_eq(slab_take(&slab), 7);
    cr_expect(is_zero(slab_at(&slab, 7)));
    cr_expect_eq(slab_take(&slab), 4);
    cr_expect(is_zero(slab_at(&slab, 4)));
    cr_expect_eq(slab_take(&slab), 11);
    slab_done(&slab);
}

// Nodes stay where they are while the slab grows, and no two share a byte.
Test(slab, never_moves_or_mixes_nodes)
{
    struct slab slab;
    cr_assert(slab_init(&slab, NODE_BYTES, CAPACITY));
    static uint8_t *places[CAPACITY + 1];
    for (uint32_t id = 1; id <= CAPACITY; id++) {
        cr_assert_eq(slab_take(&slab), id);
        places[id] = slab_at(&slab, id);
        memcpy(places[id], &id, sizeof id);
        memcpy(places[id] + NODE_BYTES - sizeof id, &id, sizeof id);
    }
    for (uint32_t id = 1; id <= CAPACITY; id++) {
        uint32_t head, tail;
        memcpy(&head, places[id], sizeof head);
        memcpy(&tail, places[id] + NODE_BYTES - sizeof tail, sizeof tail);
        cr_assert(slab_at(&slab, id) == places[id] && head == id && tail == id, "node %u", id);
    }
    slab_done(&slab);
}

Test(slab, grows_only_with_nodes_in_use)
{
    enum { OUT = 500 };
    struct slab slab;
    cr_assert(slab_init(&slab, NODE_BYTES, CAPACITY));
    for (int round = 0; round < 100; round++) {
        uint32_t ids[OUT];
        for (int i = 0; i < OUT; i++)
            ids[i] = slab_take(&slab);
        for (int i = 0; i < OUT; i++)
            slab_free(&slab, ids[i]);
    }
    cr_expect_eq(slab_bytes(&slab), (size_t)OUT * NODE_BYTES);
    cr_expect_eq(slab.used, 0);
    slab_done(&slab);
}

Test(slab, a_node_freed_twice_is_a_bug, .signal = SIGABRT)
{
    struct slab slab;
    cr_assert(slab_init(&slab, NODE_BYTES, 3));
    uint32_t id = slab_take(&slab);
    slab_take(&slab);
    slab_free(&slab, id);
    slab_free(&slab, id);
}

// The first bytes of a free node name the next one.
#ifdef POISONS
#define FOUND .exit_code = 1
#else
#define FOUND .signal = SIGABRT
#endif
Test(slab, a_free_node_that_was_written_to_is_a_bug, FOUND)
{
    struct slab slab;
    cr_assert(slab_init(&slab, NODE_BYTES, 3));
    uint32_t id = slab_take(&slab);
    slab_free(&slab, id);
    memset(slab_at(&slab, id), 0x55, NODE_BYTES);
    slab_take(&slab);
}

#ifdef POISONS
static uint8_t first_byte(const struct slab *slab, uint32_t id)
{
    return *(volatile uint8_t *)slab_at(slab, id);
}

Test(slab, a_free_node_that_is_read_is_found, .exit_code = 1)
{
    struct slab slab;
    cr_assert(slab_init(&slab, NODE_BYTES, 3));
    uint32_t id = slab_take(&slab);
    slab_free(&slab, id);
    first_byte(&slab, id);
}

Test(slab, so_is_one_of_a_slab_that_was_cleared, .exit_code = 1)
{
    struct slab slab;
    cr_assert(slab_init(&slab, NODE_BYTES, 3));
    slab_take(&slab);
    slab_clear(&slab);
    first_byte(&slab, 1);
}
#endif

// Around free ones, and where a slab lay before.
Test(slab, nodes_that_are_out_may_be_touched)
{
    for (unsigned round = 0; round < 2; round++) {
        struct slab slab;
        cr_assert(slab_init(&slab, NODE_BYTES, CAPACITY));
        for (uint32_t id = 1; id <= 9; id++)
            slab_take(&slab);
        for (uint32_t id = 1; id <= 9; id += 2)
            slab_free(&slab, id);
        for (uint32_t id = 2; id <= 9; id += 2)
            memset(slab_at(&slab, id), 0xff, NODE_BYTES);
        slab_clear(&slab);
        for (uint32_t id = 1; id <= 9; id++)
            memset(slab_at(&slab, slab_take(&slab)), 0xff, NODE_BYTES);
        slab_done(&slab);
    }
}
