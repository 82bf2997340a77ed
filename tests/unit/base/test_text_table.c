#include <criterion/criterion.h>
#include <string.h>

#include "base/text_table.h"

static struct strbuf text;

static void start(void)
{
    strbuf_init(&text, 1 << 16);
}

static void stop(void)
{
    strbuf_done(&text);
}

TestSuite(text_table, .init = start, .fini = stop);

static const struct table_column columns[] = {
    {"name", .cut = CUT_MIDDLE}, {"count", .right = true}, {.title = NULL}};

Test(text_table, columns_follow_their_widest_cell)
{
    struct text_table table;
    table_init(&table, columns);
    strbuf_add(table_cell(&table), "ä");
    strbuf_add(table_cell(&table), "1,234,567");
    strbuf_add(table_cell(&table), "longer");
    strbuf_add(table_cell(&table), "2");
    strbuf_add(table_note(&table), "a note");
    strbuf_add(table_cell(&table), "last");
    table_cell(&table);
    table_add(&text, &table);
    table_done(&table);
    cr_expect_str_eq(text.text, "name        count\n"
                                "ä       1,234,567\n"
                                "longer          2\n"
                                "    a note\n"
                                "last\n");
}

Test(text_table, without_rows_there_is_no_title)
{
    struct text_table table;
    table_init(&table, columns);
    table_add(&text, &table);
    table_done(&table);
    cr_expect_str_eq(text.text, "");
}

Test(text_table, the_flexible_column_gives_way)
{
    struct text_table table;
    table_init(&table, columns);
    strbuf_add_repeat(table_cell(&table), 'x', 300);
    strbuf_add(table_cell(&table), "1");
    table_add(&text, &table);
    table_done(&table);
    const char *row = strchr(text.text, '\n') + 1;
    cr_expect_eq(text_width(row, strcspn(row, "\n")), TEXT_WIDTH);
    cr_expect_not_null(strstr(row, "x…x"));
}

Test(text_table, cutting_keeps_both_ends_and_whole_characters)
{
    text_add_cut(&text, "abcdefghij", 10);
    strbuf_add_char(&text, '|');
    text_add_cut(&text, "abcdefghijk", 5);
    strbuf_add_char(&text, '|');
    text_add_cut(&text, "ääääää", 3);
    cr_expect_str_eq(text.text, "abcdefghij|ab…jk|ä…ä");
}

Test(text_table, a_name_keeps_its_right_end)
{
    text_add_cut_after(&text, "tls www.google-analytics.com", " ", 20);
    strbuf_add_char(&text, '|');
    text_add_cut_after(&text, "www.google-analytics.com", " ", 20);
    strbuf_add_char(&text, '|');
    text_add_cut_after(&text, "10.0.0.1:50000 -> www.google-analytics.com:443", "-> ", 40);
    cr_expect_str_eq(text.text, "tls …e-analytics.com|…oogle-analytics.com|"
                                "10.0.0.1:50000 -> …gle-analytics.com:443");
}

Test(text_table, a_list_says_what_it_leaves_out)
{
    struct text_list list;
    list_begin(&list, &text, "names", 8, 2);
    for (unsigned i = 0; i < 40; i++)
        strbuf_addf(list_item(&list), "name-%02u.example", i);
    list_end(&list);
    const char *second = strchr(text.text, '\n') + 1;
    cr_expect_eq(strncmp(text.text, "names   name-00.example, name-01.example,", 41), 0);
    cr_expect_eq(strncmp(second, "        name-", 13), 0);
    cr_expect_not_null(strstr(second, ", +"));
    for (const char *line = text.text; *line != '\0'; line = strchr(line, '\n') + 1)
        cr_expect_leq(text_width(line, strcspn(line, "\n")), TEXT_WIDTH);
    cr_expect_eq(strlen(strchr(second, '\n')), 1);
}

Test(text_table, sentences_wrap_at_words)
{
    char sentence[260] = "";
    for (unsigned i = 0; i < 40; i++)
        strcat(sentence, "words ");
    text_add_sentence(&text, "! ", sentence);
    for (const char *line = text.text; *line != '\0'; line = strchr(line, '\n') + 1) {
        cr_expect_leq(strcspn(line, "\n"), TEXT_WIDTH);
        cr_expect(strncmp(line, "! words", 7) == 0 || strncmp(line, "  words", 7) == 0);
    }
}

Test(text_table, an_empty_column_leaves_no_gap)
{
    static const struct table_column three[] = {{"gone", .cut = CUT_NEVER}, {"a"}, {"b"}, {.title = NULL}};
    struct text_table table;
    table_init(&table, three);
    for (unsigned row = 0; row < 2; row++) {
        table_cell(&table);
        strbuf_add(table_cell(&table), "x");
        strbuf_add(table_cell(&table), "y");
    }
    table_add(&text, &table);
    cr_expect_str_eq(text.text, "a  b\nx  y\nx  y\n");
    table_done(&table);
}

Test(text_table, its_owner_sets_the_width)
{
    struct text_table table;
    table_init(&table, columns);
    table.width = 14;
    strbuf_add(table_cell(&table), "a rather long name");
    strbuf_add(table_cell(&table), "12345");
    table_add(&text, &table);
    const char *row = strchr(text.text, '\n') + 1;
    cr_expect_eq(text_width(row, strcspn(row, "\n")), 14, "%s", row);
    table_done(&table);
}
