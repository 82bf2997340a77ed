#include "ctl/help.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ctl/command.h"

enum { NAME_COLUMN = 28, COMMAND_COLUMN = 16 };

static void add_padded(struct strbuf *into, size_t since, size_t column)
{
    size_t width = into->length - since;
    if (width + 2 <= column) {
        strbuf_add_repeat(into, ' ', column - width);
        return;
    }
    strbuf_add_char(into, '\n');
    strbuf_add_repeat(into, ' ', column);
}

static void add_row(struct strbuf *into, const struct option_row *row)
{
    size_t start = into->length;
    strbuf_add(into, "  ");
    if (row->letter != 0)
        strbuf_addf(into, "-%c, ", row->letter);
    strbuf_addf(into, "--%s%s%s", row->name, row->argument != NULL ? " " : "",
                row->argument != NULL ? row->argument : "");
    add_padded(into, start, NAME_COLUMN);
    strbuf_addf(into, "%s\n", row->help);
}

void help_add_command(struct strbuf *into, const struct command *command)
{
    strbuf_addf(into, "netscopectl %s%s%s [OPTIONS]\n  %s\n", command->name,
                command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
    if (command->details != NULL)
        strbuf_addf(into, "\n%s", command->details);
    for (const struct option_group *const *group = command->groups; *group != NULL; group++) {
        strbuf_addf(into, "\n%s:\n", (*group)->title);
        for (const struct option_row *row = (*group)->rows; row->name != NULL; row++)
            add_row(into, row);
    }
}

void help_add_overview(struct strbuf *into)
{
    strbuf_add(into, "netscopectl COMMAND [OPTIONS]\n  Asks NetScope sensors by their API.\n\nCommands:\n");
    for (unsigned i = 0; i < command_count; i++) {
        size_t start = into->length;
        if (command_table[i].hidden)
            continue;
        strbuf_addf(into, "  %s", command_table[i].name);
        add_padded(into, start, COMMAND_COLUMN);
        strbuf_addf(into, "%s\n", command_table[i].summary);
    }
    strbuf_add(
        into, "\nnetscopectl COMMAND --help tells a command's options.\n\n"
              "The sensor is that of --server, of NETSCOPE_SERVER (addresses by commas), of the unix socket\n"
              "/run/netscope/netscope.sock if there is one, or of 127.0.0.1:9871. A token may come by "
              "NETSCOPE_TOKEN.\n\n"
              "Exit codes: 0 done, 1 the sensor said no, 2 wrong usage, 3 no sensor could be reached,\n"
              "4 some of several sensors are missing, 5 the output could not be written.\n");
}
