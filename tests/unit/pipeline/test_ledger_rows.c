#include "counting_source.h"

enum { PODS = 3000, WORD = 0 };

// A source whose interfaces, all but the first, are behind one word; what they counted is the test's to say.
struct many_source {
    struct source source; // first
    struct source_interface interfaces[PODS + 1];
    const struct source_drops *drops;
    unsigned count, told;
};

static const struct source_interface *many_interface(const struct source *source, unsigned index)
{
    return &((const struct many_source *)source)->interfaces[index];
}

static bool many_drops(struct source *source, bool first, struct source_drops *out)
{
    struct many_source *many = (struct many_source *)source;
    if (first)
        many->told = 0;
    if (many->told == many->count)
        return false;
    *out = many->drops[many->told++];
    return true;
}

static const struct source_ops many_ops = {
    .name = "many",
    .interface = many_interface,
    .drops = many_drops,
};

static void many_init(struct many_source *many)
{
    *many = (struct many_source){.source.ops = &many_ops};
    strcpy(many->interfaces[WORD].name, "pod*");
    for (unsigned i = 1; i <= PODS; i++)
        snprintf(many->interfaces[i].name, sizeof many->interfaces[i].name, "pod%u", i);
}

static void take(struct ledger *ledger, struct many_source *many, const struct source_drops *drops,
                 unsigned count)
{
    many->drops = drops;
    many->count = count;
    ledger_take_drops(ledger, &many->source);
}

// A frame of the interface, as dispatch counts it.
static void count_frame(struct ledger *ledger, unsigned interface)
{
    struct interface_totals *row = ledger_row(ledger, interface);
    row->delivered++;
    row->received++;
    ledger->totals->received++;
    ledger->totals->analysed++;
}

Test(ledger_rows, folds_interfaces_that_are_gone_into_their_word)
{
    static struct totals totals;
    static struct many_source many;
    static struct ledger ledger;
    struct error error = {0};
    many_init(&many);
    ledger_init(&ledger, &totals, &many.source);
    for (unsigned i = 1; i <= PODS; i++) {
        struct source_drops come = {.interface = (uint16_t)i, .exact = true, .received = 1, .delivered = 1};
        struct source_drops go = {
            .interface = (uint16_t)i, .exact = true, .left = true, .received = 1000, .kernel_dropped = 1000};
        take(&ledger, &many, &come, 1);
        count_frame(&ledger, i);
        cr_assert_leq(totals.interfaces, 2);
        cr_assert_str_eq(many.interfaces[row_of(&totals, i)->number].name, many.interfaces[i].name);
        take(&ledger, &many, &go, 1);
        cr_assert_eq(totals.interfaces, 1, "a tick costs what is open");
    }
    cr_expect_eq(totals.interface[0].number, WORD);
    cr_expect_eq(totals.interface[0].lost[LOST_KERNEL_RING], 1000 * PODS);
    cr_expect_eq(totals.interface[0].received, 1001 * PODS);
    cr_expect_eq(totals.lost[LOST_KERNEL_RING], 1000 * PODS);
    cr_expect(ledger_check(&totals, &totals, &many.source, &error), "%s", error.text);
    totals.interface[0].source_received++;
    cr_expect_not(ledger_check(&totals, &totals, &many.source, &error));
    cr_expect_not_null(strstr(error.text, "the ledger of pod* "), "%s", error.text);
}

Test(ledger_rows, counts_more_at_a_time_than_it_has_rows)
{
    static struct totals totals;
    static struct many_source many;
    static struct ledger ledger;
    static struct source_drops drops[PODS];
    struct error error = {0};
    many_init(&many);
    ledger_init(&ledger, &totals, &many.source);
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < PODS; i++) {
            drops[i] = (struct source_drops){.interface = (uint16_t)(i + 1),
                                             .exact = true,
                                             .received = 3,
                                             .delivered = 1,
                                             .kernel_dropped = 2};
            count_frame(&ledger, i + 1);
            drops[i].left = round == 3 || (round == 1 && i % 2 == 0);
        }
        take(&ledger, &many, drops, PODS);
        cr_assert_leq(totals.interfaces, TOTALS_INTERFACES);
        cr_expect(ledger_check(&totals, &totals, &many.source, &error), "%s", error.text);
    }
    cr_expect_eq(totals.interfaces, 1);
    cr_expect_eq(totals.received, 4 * 3 * PODS);
    cr_expect_eq(totals.interface[0].received, 4 * 3 * PODS);
    cr_expect_eq(totals.lost[LOST_KERNEL_RING], 4 * 2 * PODS);
}

Test(ledger_rows, gives_a_number_that_is_used_again_a_row_of_its_own)
{
    static struct totals totals;
    static struct many_source many;
    static struct ledger ledger;
    many_init(&many);
    ledger_init(&ledger, &totals, &many.source);
    struct source_drops drops = {
        .interface = 7, .exact = true, .left = true, .received = 5, .kernel_dropped = 5};
    take(&ledger, &many, &drops, 1);
    strcpy(many.interfaces[7].name, "new0");
    drops.left = false;
    take(&ledger, &many, &drops, 1);
    cr_expect_eq(row_of(&totals, 7)->lost[LOST_KERNEL_RING], 5);
    cr_expect_eq(row_of(&totals, WORD)->lost[LOST_KERNEL_RING], 5);
    cr_expect_eq(totals.lost[LOST_KERNEL_RING], 10);
}
