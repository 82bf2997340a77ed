// netscopectl: asks sensors by their API.
#include <stdio.h>

#include "base/strbuf.h"
#include "ctl/command.h"
#include "ctl/complaint.h"
#include "ctl/help.h"
#include "ctl/interrupt.h"
#include "ctl/invocation.h"

enum { HELP_BYTES = 1 << 16 };

static enum ctl_exit print_help(const struct command *command, FILE *to)
{
    struct strbuf text;
    strbuf_init(&text, HELP_BYTES);
    if (command != NULL)
        help_add_command(&text, command);
    else
        help_add_overview(&text);
    fputs(text.text, to);
    strbuf_done(&text);
    return CTL_DONE;
}

int main(int argc, char **argv)
{
    static struct invocation given;
    struct error error;
    if (!invocation_read(&given, argc, argv, &error))
        return (int)complain_usage(&error);
    if (given.help)
        return (int)print_help(given.command, stdout);
    if (given.version) {
        int used;
        char name[] = "version", *words[] = {name};
        given.command = command_find(words, 1, &used);
    }
    if (given.command == NULL) {
        print_help(NULL, stderr);
        return CTL_USAGE;
    }
    interrupt_install();
    return (int)given.command->run(&given);
}
