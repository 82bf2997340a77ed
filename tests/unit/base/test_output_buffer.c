#include "base/output_buffer.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static struct output_buffer *make_buffer(void)
{
    struct output_buffer *buffer = malloc(sizeof *buffer);
    cr_assert_not_null(buffer);
    output_buffer_empty(buffer);
    return buffer;
}

static void put(struct output_buffer *buffer, const char *text, bool head)
{
    cr_assert(output_buffer_has_room(buffer, strlen(text)));
    memcpy(buffer->bytes + buffer->used, text, strlen(text));
    if (head)
        output_buffer_commit_head(buffer, strlen(text));
    else
        output_buffer_commit(buffer, strlen(text));
}

// "HEAD" "one" "three" "five5"
static struct output_buffer *filled(void)
{
    struct output_buffer *buffer = make_buffer();
    put(buffer, "HEAD", true);
    put(buffer, "one", false);
    put(buffer, "three", false);
    put(buffer, "five5", false);
    return buffer;
}

Test(output_buffer, counts_units_that_are_whole)
{
    struct output_buffer *buffer = filled();
    static const struct {
        size_t done;
        unsigned units;
        size_t whole;
    } rows[] = {{0, 0, 0}, {3, 0, 0}, {4, 0, 4}, {6, 0, 4}, {7, 1, 7}, {11, 1, 7}, {12, 2, 12}, {17, 3, 17}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned units = output_buffer_units_within(buffer, rows[i].done);
        cr_expect_eq(units, rows[i].units, "%zu bytes", rows[i].done);
        cr_expect_eq(output_buffer_whole_bytes(buffer, rows[i].done, units), rows[i].whole, "%zu bytes",
                     rows[i].done);
    }
    free(buffer);
}

Test(output_buffer, drops_what_was_written_and_keeps_the_rest)
{
    struct output_buffer *buffer = filled();
    cr_expect_eq(output_buffer_drop(buffer, 12, 2), 5, "the last one is \"three\"");
    cr_expect_eq(buffer->used, 5);
    cr_expect_eq(buffer->units, 1);
    cr_expect_eq(buffer->head_bytes, 0);
    cr_expect_eq(memcmp(buffer->bytes, "five5", 5), 0);
    put(buffer, "six", false);
    cr_expect_eq(output_buffer_units_within(buffer, 7), 1);
    cr_expect_eq(output_buffer_units_within(buffer, 8), 2);
    free(buffer);
}

Test(output_buffer, drops_a_part_of_the_head)
{
    struct output_buffer *buffer = filled();
    cr_expect_eq(output_buffer_drop(buffer, 3, 0), 0, "no unit");
    cr_expect_eq(buffer->head_bytes, 1);
    cr_expect_eq(output_buffer_units_within(buffer, 3), 0);
    cr_expect_eq(output_buffer_units_within(buffer, 4), 1);
    cr_expect_eq(output_buffer_drop(buffer, 4, 1), 3, "\"one\", without the head before it");
    cr_expect_eq(memcmp(buffer->bytes, "three", 5), 0);
    free(buffer);
}

Test(output_buffer, is_full_by_bytes)
{
    struct output_buffer *buffer = make_buffer();
    cr_expect(output_buffer_has_room(buffer, OUTPUT_BUFFER_BYTES));
    cr_expect_not(output_buffer_has_room(buffer, OUTPUT_BUFFER_BYTES + 1));
    output_buffer_commit(buffer, OUTPUT_BUFFER_BYTES - 1);
    cr_expect(output_buffer_has_room(buffer, 1));
    cr_expect_not(output_buffer_has_room(buffer, 2));
    free(buffer);
}

Test(output_buffer, is_full_by_units)
{
    struct output_buffer *buffer = make_buffer();
    for (unsigned i = 0; i < OUTPUT_BUFFER_UNITS; i++)
        output_buffer_commit(buffer, 1);
    cr_expect_not(output_buffer_has_room(buffer, 1));
    cr_expect_eq(output_buffer_drop(buffer, 10, 10), 1);
    cr_expect(output_buffer_has_room(buffer, 1));
    cr_expect_eq(output_buffer_units_within(buffer, 100), 100);
    output_buffer_empty(buffer);
    cr_expect_eq(output_buffer_units_within(buffer, OUTPUT_BUFFER_BYTES), 0);
    free(buffer);
}
