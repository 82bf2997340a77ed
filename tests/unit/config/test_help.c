#include "given.h"

#include "base/strbuf.h"
#include "config/flags.h"

static struct strbuf help;

static void prepare(void)
{
    strbuf_init(&help, 1 << 20);
    config_add_help(&help);
}

static void tidy(void)
{
    strbuf_done(&help);
}

TestSuite(help, .init = prepare, .fini = tidy);

Test(help, fits_100_columns)
{
    cr_assert_not(help.failed);
    for (const char *line = help.text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        cr_expect_leq(length, 100, "%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

Test(help, lists_every_flag_but_the_hidden)
{
    for (unsigned i = 0; i < setting_count; i++) {
        char flag[SETTING_FLAG_BYTES], shown[SETTING_FLAG_BYTES + 8];
        setting_flag(&setting_table[i], flag);
        snprintf(shown, sizeof shown, "--%s%s", setting_table[i].type == SETTING_BOOL ? "[no-]" : "", flag);
        cr_expect_eq(strstr(help.text, shown) != NULL, setting_table[i].note == NULL, "%s", shown);
    }
    for (unsigned i = 0; i < flag_count; i++)
        cr_expect_eq(strstr(help.text, flag_table[i].name) != NULL, !flag_table[i].hidden, "%s",
                     flag_table[i].name);
}
