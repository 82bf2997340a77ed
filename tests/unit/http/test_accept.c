#include "http/accept.h"

#include <criterion/criterion.h>

Test(accept, weighs_by_the_range_that_fits_best)
{
    static const struct {
        const char *header, *type;
        unsigned weight;
    } cases[] = {
        {NULL, "text/plain", 1000},
        {"", "text/plain", 0},
        {"text/plain", "text/plain", 1000},
        {"TEXT/Plain", "text/plain", 1000},
        {"text/plainer", "text/plain", 0},
        {"text/*;q=0.5", "text/plain", 500},
        {"*/*;q=0.1", "text/plain", 100},
        {"*/*;q=0.1, text/*;q=0.2 ,text/plain;q=0.3", "text/plain", 300},
        {"text/plain;q=0", "text/plain", 0},
        {"text/plain;q=1.000", "text/plain", 1000},
        {"text/plain;version=0.0.4;q=0.75", "text/plain", 750},
        {"application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         "application/openmetrics-text", 750},
        {"text/plain;q=", "text/plain", 1000}, // no weight
        {"text/plain;q=0.", "text/plain", 0},
        {",,;q=1,", "text/plain", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(accept_weight(cases[i].header, cases[i].type), cases[i].weight, "%s: %u",
                     cases[i].header != NULL ? cases[i].header : "none",
                     accept_weight(cases[i].header, cases[i].type));
}

Test(accept, knows_codings)
{
    cr_expect_not(accept_coding(NULL, "gzip"));
    cr_expect(accept_coding("gzip, deflate, br", "br"));
    cr_expect(accept_coding("*", "gzip"));
    cr_expect_not(accept_coding("*, gzip;q=0", "gzip"));
    cr_expect_not(accept_coding("identity", "gzip"));
    cr_expect_not(accept_coding("xgzip", "gzip"));
}
