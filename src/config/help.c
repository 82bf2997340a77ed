#include "config/config.h"

#include <string.h>

#include "base/strbuf.h"
#include "config/describe.h"
#include "config/flags.h"

enum { HELP_COLUMNS = 100, HELP_INDENT = 40, LINE_MAXIMUM = 1024 };

static const char usage[] =
    "Usage: netscope [flags] [packet filter]\n"
    "  netscope -r trace.pcap                 report on a capture file\n"
    "  netscope -i eth0 --stats tcp port 443  capture live, a line of statistics a second\n"
    "  netscope -D                            list the interfaces\n";

static const char foot[] =
    "\nEvery flag but those of the last group is also a key of the settings file and a variable:\n"
    "--snaplen is capture.snaplen in YAML and NETSCOPE_CAPTURE_SNAPLEN in the environment. A flag wins\n"
    "over the environment, that over the file. docs/configuration.md tells all about each.\n";

static void add_entry(struct strbuf *into, const char *flag, const char *help)
{
    static const char indent[HELP_INDENT + 1] = "                                        ";
    strbuf_add(into, flag);
    size_t column = strlen(flag);
    if (column + 1 > HELP_INDENT) {
        strbuf_add_char(into, '\n');
        column = 0;
    }
    strbuf_add_repeat(into, ' ', HELP_INDENT - column);
    describe_wrapped(into, help, HELP_INDENT, indent, HELP_COLUMNS);
    strbuf_add_char(into, '\n');
}

static void add_setting_flag(struct strbuf *into, const struct setting *setting)
{
    strbuf_add(into, setting->letter != 0 ? "  " : "      ");
    describe_flag(into, setting);
    if (setting->type == SETTING_BOOL)
        return;
    strbuf_add_char(into, ' ');
    describe_argument(into, setting);
}

static void add_setting_help(struct strbuf *into, const struct setting *setting)
{
    struct strbuf standard;
    strbuf_init(&standard, LINE_MAXIMUM);
    describe_default(&standard, setting);
    strbuf_add(into, setting->help);
    if (standard.length > 0 && strcmp(standard.text, "false") != 0)
        strbuf_addf(into, " (default %s)", standard.text);
    strbuf_done(&standard);
}

static void add_setting(struct strbuf *into, const struct setting *setting)
{
    struct strbuf flag, help;
    strbuf_init(&flag, LINE_MAXIMUM);
    strbuf_init(&help, LINE_MAXIMUM);
    add_setting_flag(&flag, setting);
    add_setting_help(&help, setting);
    add_entry(into, flag.text, help.text);
    strbuf_done(&flag);
    strbuf_done(&help);
}

static void add_row(struct strbuf *into, const struct flag_row *row)
{
    struct strbuf flag;
    strbuf_init(&flag, LINE_MAXIMUM);
    if (row->letter != 0)
        strbuf_addf(&flag, "  -%c, --%s", row->letter, row->name);
    else
        strbuf_addf(&flag, "      --%s", row->name);
    if (row->argument != NULL)
        strbuf_addf(&flag, " %s", row->argument);
    add_entry(into, flag.text, row->help);
    strbuf_done(&flag);
}

static void add_section(struct strbuf *into, const struct setting_section *section)
{
    strbuf_addf(into, "\n%s:\n", section->title);
    for (unsigned i = 0; i < setting_count; i++) {
        if (setting_in_section(&setting_table[i], section))
            add_setting(into, &setting_table[i]);
    }
}

void config_add_help(struct strbuf *into)
{
    strbuf_add(into, usage);
    for (unsigned i = 0; i < setting_section_count; i++)
        add_section(into, &setting_sections[i]);
    strbuf_add(into, "\nOther:\n");
    for (unsigned i = 0; i < flag_count; i++) {
        if (!flag_table[i].hidden)
            add_row(into, &flag_table[i]);
    }
    strbuf_add(into, foot);
}
