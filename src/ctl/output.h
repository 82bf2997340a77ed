// Standard output of a command: text and tables for people, rows of messages for programs, in the formats of the exports.
// What is added waits for output_flush(). One owner, one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "ctl/ask.h"
#include "ctl/command.h"

struct text_table;
struct message_plan;
struct invocation;

enum output_format { OUTPUT_TEXT, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_CSV };
enum colour { COLOUR_NONE, COLOUR_BOLD, COLOUR_DIM, COLOUR_RED, COLOUR_YELLOW, COLOUR_GREEN };

struct output {
    enum output_format format;
    bool terminal, colours;
    size_t width; // of the terminal; of anything else it is wide
    struct strbuf text;
    struct message_plan *plan; // of rows
    uint64_t rows;
    bool failed;
};

// `row` is what rows are of, NULL without rows. False without memory.
bool output_open(struct output *output, const struct invocation *given,
                 const struct ProtobufCMessageDescriptor *row);
// Writes what waits and the end. What failed turns CTL_DONE into CTL_OUTPUT, with a sentence.
enum ctl_exit output_close(struct output *output, enum ctl_exit so_far);
// False: it cannot be written, nothing will be.
bool output_flush(struct output *output);
// Whether nobody will read what is written: a pipe's reader has gone, a terminal has hung up.
bool output_is_unread(void);

// Whether rows are messages rather than text.
bool output_is_for_programs(const struct output *output);
void output_add_row(struct output *output, const struct ProtobufCMessage *message);
// Answers of several servers as one array, of one as an object.
void output_add_answers(struct output *output, const struct answers *answers,
                        const struct ProtobufCMessageDescriptor *type);

void output_begin_colour(struct output *output, enum colour colour);
void output_end_colour(struct output *output, enum colour colour);
// A table, its title line in bold, as wide as the terminal.
void output_add_table(struct output *output, struct text_table *table);
// "label     text": what people read of one thing. The text is added to what is returned, with its newline.
struct strbuf *output_label(struct output *output, const char *label);

void terminal_size(size_t *columns, size_t *lines);
