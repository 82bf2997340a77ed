#include "checked_in.h"
#include "config/table.h"

Test(markdown, the_checked_in_documents_are_up_to_date)
{
    expect_checked_in(NETSCOPE_SOURCE_DIR "/docs/configuration.md", config_add_markdown);
    expect_checked_in(NETSCOPE_SOURCE_DIR "/deploy/netscope.yaml", config_add_example);
    expect_checked_in(NETSCOPE_SOURCE_DIR "/deploy/man/netscope.8", config_add_manual);
    expect_checked_in(NETSCOPE_SOURCE_DIR "/deploy/completion/netscope", config_add_completion);
}

Test(markdown, has_a_row_for_every_setting)
{
    struct strbuf page;
    strbuf_init(&page, 1 << 20);
    config_add_markdown(&page);
    for (unsigned i = 0; i < setting_count; i++) {
        char cell[SETTING_KEY_BYTES];
        snprintf(cell, sizeof cell, "| `%s` |", setting_table[i].key);
        cr_expect_eq(strstr(page.text, cell) != NULL, setting_table[i].note == NULL, "%s", cell);
    }
    strbuf_done(&page);
}
