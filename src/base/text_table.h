// Text in columns for a terminal: tables whose widths follow their cells, lists that flow over lines, and
// sentences that wrap. Widths are counted in UTF-8 characters. One owner, one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

enum { TEXT_WIDTH = 100, TABLE_COLUMNS = 12 };

// Which cells give way when the line gets too long, and where they are cut. The later ones give way first.
enum table_cut {
    CUT_NEVER,
    CUT_SERVER, // "client -> server": the beginning of the server's name
    CUT_NAME,   // "tls www.example.com": the beginning of the name
    CUT_MIDDLE,
};

struct table_column {
    const char *title;
    bool right; // aligned to the right, as numbers are
    enum table_cut cut;
};

struct text_table {
    const struct table_column *columns;
    unsigned column_count;
    size_t width;       // of lines, in characters: TEXT_WIDTH unless the owner sets another
    struct strbuf text; // the cells, terminated each
    size_t *offsets;    // of cells and notes in `text`, column_count + 1 a row; 0 = empty
    size_t used, room;
};

// `columns` ends with a row without title.
void table_init(struct text_table *table, const struct table_column *columns);
void table_done(struct text_table *table);

// The next cell, in reading order: append its text to what is returned, until the next call.
struct strbuf *table_cell(struct text_table *table);
// A line of its own under the row, which must be complete; never cut.
struct strbuf *table_note(struct text_table *table);
// The table with its title line, without the columns whose cells are all empty; nothing without rows.
void table_add(struct strbuf *into, const struct text_table *table);

// "label  one, two, three, +5 more": flows over at most `lines` lines.
struct text_list {
    struct strbuf *into;
    struct strbuf item;
    size_t indent, column;
    unsigned line, lines, shown, hidden;
};

void list_begin(struct text_list *list, struct strbuf *into, const char *label, size_t indent,
                unsigned lines);
struct strbuf *list_item(struct text_list *list); // append the item's text to it
void list_end(struct text_list *list);

// The sentence with `mark` in front, wrapped at words, further lines indented.
void text_add_sentence(struct strbuf *into, const char *mark, const char *sentence);

size_t text_width(const char *text, size_t length);
// The text, or its two ends around "…" when it is wider than `width`.
void text_add_cut(struct strbuf *into, const char *text, size_t width);
// The same, with the "…" right behind the first `mark` (without one, in front) when enough of the rest stays.
void text_add_cut_after(struct strbuf *into, const char *text, const char *mark, size_t width);
