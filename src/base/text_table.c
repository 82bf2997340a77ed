#include "base/text_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAXIMUM_BYTES = 16 << 20, COLUMN_GAP = 2, NOTE_INDENT = 4, NAME_LEAST = 10 };

static const size_t narrowest[] = {[CUT_SERVER] = 24, [CUT_NAME] = 15, [CUT_MIDDLE] = 7};

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t text_width(const char *text, size_t length)
{
    size_t width = 0;
    for (size_t i = 0; i < length; i++)
        width += !continues(text[i]);
    return width;
}

// Bytes of the first `characters` characters.
static size_t prefix_bytes(const char *text, size_t characters)
{
    size_t at = 0;
    for (; text[at] != '\0' && characters > 0; characters--)
        do
            at++;
        while (continues(text[at]));
    return at;
}

// Keeps the first `front` characters and as many of the last as fit.
static void cut_behind(struct strbuf *into, const char *text, size_t front, size_t width)
{
    size_t characters = text_width(text, strlen(text));
    if (characters <= width || width == 0) {
        strbuf_add(into, text);
        return;
    }
    assert(front < width);
    size_t back = width - front - 1;
    strbuf_add_bytes(into, text, prefix_bytes(text, front));
    strbuf_add(into, "…");
    strbuf_add(into, text + prefix_bytes(text, characters - back));
}

void text_add_cut(struct strbuf *into, const char *text, size_t width)
{
    cut_behind(into, text, width / 2, width);
}

void text_add_cut_after(struct strbuf *into, const char *text, const char *mark, size_t width)
{
    const char *found = strstr(text, mark);
    size_t front = found != NULL ? text_width(text, (size_t)(found - text) + strlen(mark)) : 0;
    cut_behind(into, text, front + NAME_LEAST < width ? front : width / 2, width);
}

void table_init(struct text_table *table, const struct table_column *columns)
{
    *table = (struct text_table){.columns = columns, .width = TEXT_WIDTH};
    while (columns[table->column_count].title != NULL)
        table->column_count++;
    assert(table->column_count <= TABLE_COLUMNS);
    strbuf_init(&table->text, CELLS_MAXIMUM_BYTES);
    strbuf_add_char(&table->text, '\0'); // offset 0 is an empty text
}

void table_done(struct text_table *table)
{
    strbuf_done(&table->text);
    free(table->offsets);
}

static struct strbuf *start_text(struct text_table *table, size_t slot)
{
    if (slot >= table->room) {
        size_t room = table->room > 0 ? table->room * 2 : 64;
        size_t *offsets = realloc(table->offsets, room * sizeof *offsets);
        if (offsets == NULL) {
            table->text.failed = true;
            return &table->text;
        }
        memset(offsets + table->room, 0, (room - table->room) * sizeof *offsets);
        table->offsets = offsets;
        table->room = room;
    }
    strbuf_add_char(&table->text, '\0'); // ends the text before
    table->offsets[slot] = table->text.length;
    table->used = slot + 1;
    return &table->text;
}

struct strbuf *table_cell(struct text_table *table)
{
    size_t slots = table->column_count + 1;
    bool row_full = table->used % slots == table->column_count;
    return start_text(table, row_full ? table->used + 1 : table->used);
}

struct strbuf *table_note(struct text_table *table)
{
    return start_text(table, table->used);
}

static const char *cell_text(const struct text_table *table, size_t row, unsigned column)
{
    size_t slot = row * (table->column_count + 1) + column;
    return slot < table->used ? table->text.text + table->offsets[slot] : "";
}

static size_t row_count(const struct text_table *table)
{
    size_t slots = table->column_count + 1;
    return (table->used + slots - 1) / slots;
}

// Of the widest cell or the title; 0 when all cells are empty: the column vanishes.
static size_t natural_width(const struct text_table *table, unsigned column)
{
    const char *title = table->columns[column].title;
    size_t widest = 0;
    for (size_t row = 0; row < row_count(table); row++) {
        const char *cell = cell_text(table, row, column);
        size_t width = text_width(cell, strlen(cell));
        widest = width > widest ? width : widest;
    }
    size_t title_width = text_width(title, strlen(title));
    return widest == 0 || widest > title_width ? widest : title_width;
}

static size_t shrink(const struct text_table *table, enum table_cut cut, size_t excess,
                     size_t widths[TABLE_COLUMNS])
{
    for (unsigned column = 0; column < table->column_count; column++) {
        if (table->columns[column].cut != cut || widths[column] <= narrowest[cut])
            continue;
        size_t spare = widths[column] - narrowest[cut];
        size_t given = spare < excess ? spare : excess;
        widths[column] -= given;
        excess -= given;
    }
    return excess;
}

static void measure(const struct text_table *table, size_t widths[TABLE_COLUMNS])
{
    size_t total = 0;
    for (unsigned column = 0; column < table->column_count; column++) {
        widths[column] = natural_width(table, column);
        total += widths[column] + (total > 0 && widths[column] > 0 ? COLUMN_GAP : 0);
    }
    size_t excess = total > table->width ? total - table->width : 0;
    for (enum table_cut cut = CUT_MIDDLE; cut > CUT_NEVER; cut--)
        excess = shrink(table, cut, excess, widths);
}

static void trim_right(struct strbuf *into)
{
    while (into->length > 0 && into->text[into->length - 1] == ' ')
        into->text[--into->length] = '\0';
}

static void add_cut(struct strbuf *into, const char *cell, enum table_cut cut, size_t width)
{
    if (cut == CUT_SERVER || cut == CUT_NAME)
        text_add_cut_after(into, cell, cut == CUT_SERVER ? "-> " : " ", width);
    else
        text_add_cut(into, cell, width);
}

static void add_row(struct strbuf *into, const struct text_table *table, const size_t widths[TABLE_COLUMNS],
                    size_t row, bool titles)
{
    size_t gap = 0;
    for (unsigned column = 0; column < table->column_count; column++) {
        if (widths[column] == 0)
            continue;
        const char *cell = titles ? table->columns[column].title : cell_text(table, row, column);
        size_t width = text_width(cell, strlen(cell));
        size_t padding = width < widths[column] ? widths[column] - width : 0;
        strbuf_add_repeat(into, ' ', gap);
        gap = COLUMN_GAP;
        if (table->columns[column].right)
            strbuf_add_repeat(into, ' ', padding);
        add_cut(into, cell, table->columns[column].cut, widths[column]);
        if (!table->columns[column].right)
            strbuf_add_repeat(into, ' ', padding);
    }
    trim_right(into);
    strbuf_add_char(into, '\n');
}

void table_add(struct strbuf *into, const struct text_table *table)
{
    size_t widths[TABLE_COLUMNS];
    if (table->used == 0)
        return;
    measure(table, widths);
    add_row(into, table, widths, 0, true);
    for (size_t row = 0; row < row_count(table); row++) {
        add_row(into, table, widths, row, false);
        const char *note = cell_text(table, row, table->column_count);
        if (note[0] == '\0')
            continue;
        strbuf_add_repeat(into, ' ', NOTE_INDENT);
        strbuf_add(into, note);
        strbuf_add_char(into, '\n');
    }
}

void list_begin(struct text_list *list, struct strbuf *into, const char *label, size_t indent, unsigned lines)
{
    *list = (struct text_list){.into = into, .indent = indent, .column = indent, .lines = lines};
    strbuf_init(&list->item, CELLS_MAXIMUM_BYTES);
    strbuf_add(into, label);
    size_t width = text_width(label, strlen(label));
    strbuf_add_repeat(into, ' ', width < indent ? indent - width : 1);
}

static void place_item(struct text_list *list)
{
    enum { ROOM_FOR_MORE = 12, ITEM_MAXIMUM = 64 };
    if (list->item.length == 0)
        return;
    size_t width = text_width(list->item.text, list->item.length);
    width = width < ITEM_MAXIMUM ? width : ITEM_MAXIMUM;
    bool last_line = list->line + 1 == list->lines;
    bool fits = list->column + width + 2 + (last_line ? ROOM_FOR_MORE : 0) <= TEXT_WIDTH;
    if (list->hidden > 0 || (!fits && last_line && list->shown > 0)) {
        list->hidden++;
        return;
    }
    if (list->shown++ > 0)
        strbuf_add(list->into, fits ? ", " : ",\n");
    if (!fits && list->shown > 1) {
        strbuf_add_repeat(list->into, ' ', list->indent);
        list->column = list->indent;
        list->line++;
    }
    text_add_cut(list->into, list->item.text, ITEM_MAXIMUM);
    list->column += width + 2;
}

struct strbuf *list_item(struct text_list *list)
{
    place_item(list);
    strbuf_clear(&list->item);
    return &list->item;
}

void list_end(struct text_list *list)
{
    place_item(list);
    if (list->hidden > 0)
        strbuf_addf(list->into, ", +%u more", list->hidden);
    strbuf_add_char(list->into, '\n');
    strbuf_done(&list->item);
}

void text_add_sentence(struct strbuf *into, const char *mark, const char *sentence)
{
    size_t indent = text_width(mark, strlen(mark)), column = indent;
    strbuf_add(into, mark);
    while (*sentence != '\0') {
        size_t length = strcspn(sentence, " ");
        size_t width = text_width(sentence, length);
        if (column > indent && column + 1 + width > TEXT_WIDTH) {
            strbuf_add_char(into, '\n');
            strbuf_add_repeat(into, ' ', indent);
            column = indent;
        } else if (column > indent) {
            strbuf_add_char(into, ' ');
            column++;
        }
        strbuf_add_wire(into, sentence, length);
        column += width;
        sentence += length + strspn(sentence + length, " ");
    }
    strbuf_add_char(into, '\n');
}
