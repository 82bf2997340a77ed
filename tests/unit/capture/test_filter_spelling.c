#include "capture/filter_spelling.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void expect(char *got, const char *spelled)
{
    cr_assert_str_eq(got, spelled);
    free(got);
}

Test(filter_spelling, arcnet_addresses_become_tests_of_bytes)
{
    expect(filter_spell_arcnet("link src host $c0", 129), "(link[0] = 0xc0)");
    expect(filter_spell_arcnet("ip and link dst $7 or ether host not $fF", 7),
           "ip and (link[1] = 0x7) or not (link[0] = 0xfF or link[1] = 0xfF)");
    expect(filter_spell_arcnet("link host $c0", 1), "link host $c0");
    expect(filter_spell_arcnet("tcp port 80", 129), "tcp port 80");
    expect(filter_spell_arcnet("$", 129), "$");
}

Test(filter_spelling, directions_become_true_or_false)
{
    expect(filter_spell_direction("inbound and not outbound", false), "(greater 0) and not (not greater 0)");
    expect(filter_spell_direction("outbound", true), "(greater 0)");
    expect(filter_spell_direction("host notinbound", true), "host notinbound");
}
