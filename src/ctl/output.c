#include "ctl/output.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "api/csv.h"
#include "api/json.h"
#include "api/message_plan.h"
#include "base/text_table.h"
#include "ctl/complaint.h"
#include "ctl/invocation.h"

enum { OUTPUT_MAXIMUM_BYTES = 256 << 20, NARROWEST = 60, UNBOUND = 400, LABEL_COLUMN = 12, USUAL_LINES = 24 };

void terminal_size(size_t *columns, size_t *lines)
{
    struct winsize size;
    *columns = TEXT_WIDTH;
    *lines = USUAL_LINES;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return;
    *columns = size.ws_col;
    *lines = size.ws_row;
}

static enum output_format read_format(const char *word)
{
    static const struct {
        const char *word;
        enum output_format format;
    } formats[] = {
        {"wide", OUTPUT_WIDE}, {"json", OUTPUT_JSON}, {"jsonl", OUTPUT_JSONL}, {"csv", OUTPUT_CSV}};
    for (unsigned i = 0; word != NULL && i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].word, word) == 0)
            return formats[i].format;
    return OUTPUT_TEXT;
}

static bool wants_colours(const struct invocation *given, bool terminal)
{
    const char *when = given_text(given, "color"), *refused = getenv("NO_COLOR"), *kind = getenv("TERM");
    if (when != NULL && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    return terminal && (refused == NULL || refused[0] == '\0') && (kind == NULL || strcmp(kind, "dumb") != 0);
}

bool output_open(struct output *output, const struct invocation *given,
                 const struct ProtobufCMessageDescriptor *row)
{
    size_t lines;
    *output = (struct output){.terminal = isatty(STDOUT_FILENO) != 0, .width = UNBOUND};
    if (given_knows(given, "output"))
        output->format = read_format(given_text(given, "output"));
    output->colours = wants_colours(given, output->terminal);
    if (output->terminal)
        terminal_size(&output->width, &lines);
    output->width = output->width > NARROWEST ? output->width : NARROWEST;
    strbuf_init(&output->text, OUTPUT_MAXIMUM_BYTES);
    if (row == NULL)
        return true;
    output->plan = message_plan_create(row);
    if (output->plan == NULL) {
        complain("no memory for the output");
        strbuf_done(&output->text);
        return false;
    }
    if (output->format == OUTPUT_CSV)
        csv_add_header(&output->text, output->plan);
    else if (output->format == OUTPUT_JSON)
        strbuf_add(&output->text, "[\n");
    return true;
}

bool output_flush(struct output *output)
{
    if (!output->failed && output->text.failed) {
        output->failed = true;
        complain("no memory for the output: what follows is missing");
    }
    if (!output->failed && output->text.length > 0) {
        fwrite(output->text.text, 1, output->text.length, stdout);
        if (fflush(stdout) != 0 || ferror(stdout)) {
            output->failed = true;
            fprintf(stderr, "netscopectl: cannot write to standard output: %s\n", strerror(errno));
        }
    }
    strbuf_clear(&output->text);
    return !output->failed;
}

bool output_is_unread(void)
{
    struct pollfd reader = {.fd = STDOUT_FILENO};
    return poll(&reader, 1, 0) > 0 && (reader.revents & (POLLERR | POLLHUP)) != 0;
}

enum ctl_exit output_close(struct output *output, enum ctl_exit so_far)
{
    if (output->plan != NULL && output->format == OUTPUT_JSON)
        strbuf_add(&output->text, "]\n");
    bool fine = output_flush(output);
    strbuf_done(&output->text);
    message_plan_destroy(output->plan);
    return fine ? so_far : CTL_OUTPUT;
}

bool output_is_for_programs(const struct output *output)
{
    return output->format >= OUTPUT_JSON;
}

void output_add_row(struct output *output, const struct ProtobufCMessage *message)
{
    assert(output->plan != NULL && output_is_for_programs(output));
    if (output->format == OUTPUT_CSV) {
        csv_add_row(&output->text, output->plan, message);
    } else {
        if (output->format == OUTPUT_JSON && output->rows > 0)
            strbuf_add_char(&output->text, ',');
        json_add(&output->text, output->plan, message);
        strbuf_add_char(&output->text, '\n');
    }
    output->rows++;
}

void output_add_answers(struct output *output, const struct answers *answers,
                        const struct ProtobufCMessageDescriptor *type)
{
    struct message_plan *plan = message_plan_create(type);
    bool several = answers->count > 1;
    const char *separator = "";
    if (plan == NULL) {
        output->text.failed = true;
        return;
    }
    strbuf_add(&output->text, several ? "[\n" : "");
    for (unsigned i = 0; i < answers->count; i++) {
        if (answers->list[i].message == NULL)
            continue;
        strbuf_add(&output->text, separator);
        json_add_indented(&output->text, plan, answers->list[i].message);
        separator = ",\n";
    }
    strbuf_add(&output->text, several ? "\n]\n" : answers->missing == 0 ? "\n" : "");
    message_plan_destroy(plan);
}

void output_begin_colour(struct output *output, enum colour colour)
{
    static const char *const codes[] = {[COLOUR_BOLD] = "1",
                                        [COLOUR_DIM] = "2",
                                        [COLOUR_RED] = "31",
                                        [COLOUR_YELLOW] = "33",
                                        [COLOUR_GREEN] = "32"};
    if (output->colours && colour != COLOUR_NONE)
        strbuf_addf(&output->text, "\033[%sm", codes[colour]);
}

void output_end_colour(struct output *output, enum colour colour)
{
    if (output->colours && colour != COLOUR_NONE)
        strbuf_add(&output->text, "\033[0m");
}

void output_add_table(struct output *output, struct text_table *table)
{
    struct strbuf text;
    strbuf_init(&text, OUTPUT_MAXIMUM_BYTES);
    table->width = output->width;
    table_add(&text, table);
    size_t title = strcspn(text.text, "\n");
    output_begin_colour(output, COLOUR_BOLD);
    strbuf_add_bytes(&output->text, text.text, title);
    output_end_colour(output, COLOUR_BOLD);
    strbuf_add_bytes(&output->text, text.text + title, text.length - title);
    output->text.failed |= text.failed || table->text.failed;
    strbuf_done(&text);
}

struct strbuf *output_label(struct output *output, const char *label)
{
    size_t length = strlen(label);
    output_begin_colour(output, COLOUR_BOLD);
    strbuf_add(&output->text, label);
    output_end_colour(output, COLOUR_BOLD);
    strbuf_add_repeat(&output->text, ' ', length < LABEL_COLUMN ? LABEL_COLUMN - length : 1);
    return &output->text;
}
