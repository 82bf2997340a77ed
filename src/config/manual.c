#include "config/config.h"

#include <string.h>

#include "base/strbuf.h"
#include "config/describe.h"
#include "config/flags.h"

static const char head[] =
    ".\\\" Written by scripts/generate-docs from src/config/table.c; a test keeps them equal.\n"
    ".TH NETSCOPE 8 \"\" NetScope \"System administration\"\n"
    ".nh\n.ad l\n"
    ".SH NAME\n"
    "netscope \\- network sensor: flows, statistics and alerts of capture files and interfaces\n"
    ".SH SYNOPSIS\n"
    ".B netscope\n"
    ".RI [ flags ]\n"
    ".RI [ \"packet filter\" ]\n"
    ".SH DESCRIPTION\n"
    "Reads capture files or live interfaces, decodes every packet, tracks every flow, and tells what it "
    "found:\n"
    "a report, flow records as JSON and CSV, alerts of floods and scans, statistics, packet lines, and the\n"
    "packets themselves. With\n"
    ".B \\-\\-grpc\n"
    "it serves all of that to\n"
    ".BR netscopectl (1).\n"
    ".PP\n"
    "The words after the flags are a packet filter in the language of\n"
    ".BR pcap\\-filter (7).\n"
    "The path\n"
    ".B \\-\n"
    "means standard input to read, and standard output to write.\n"
    ".PP\n"
    "Every flag below but those of the group Other is also a key of the YAML file that\n"
    ".B \\-\\-config\n"
    "names, and a variable of the environment:\n"
    ".BR \\-\\-snaplen ,\n"
    ".B capture.snaplen\n"
    "and\n"
    ".B NETSCOPE_CAPTURE_SNAPLEN\n"
    "are one setting. A flag wins over the environment, the environment over the file.\n"
    ".SH OPTIONS\n";

static const char foot[] =
    ".SH SIGNALS\n"
    ".TP\n.B SIGTERM, SIGINT\nStops capturing, writes everything out, and ends.\n"
    ".TP\n.B SIGHUP\nReads the settings file again, and follows files that log rotation moved.\n"
    ".TP\n.B SIGUSR1\nTells on standard error how the run stands, and its largest flows.\n"
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nDone.\n"
    ".TP\n.B 1\nAlerts were raised, \\fB\\-\\-fail\\-on\\-alert\\fR was given, and nothing worse happened.\n"
    ".TP\n.B 2\nWrong usage or configuration.\n"
    ".TP\n.B 3\nAn input cannot be read, or is no capture.\n"
    ".TP\n.B 4\nAn input ends in the middle; the results up to there are written.\n"
    ".TP\n.B 5\nPackets do not add up: a bug.\n"
    ".TP\n.B 6\nNo permission to capture.\n"
    ".TP\n.B 7\nNo such interface.\n"
    ".TP\n.B 8\nAn output is incomplete.\n"
    ".TP\n.B 9\nCannot listen.\n"
    ".SH FILES\n"
    ".TP\n.I /etc/netscope/netscope.yaml\n"
    "The settings of the service netscope.service.\n"
    ".TP\n.I /run/netscope/netscope.sock\n"
    "Where that service serves the API, and where netscopectl looks first.\n"
    ".SH EXAMPLES\n"
    ".TP\n.B netscope \\-r trace.pcap\nThe report of a capture file.\n"
    ".TP\n.B netscope \\-r trace.pcap \\-\\-export\\-json \\- tcp port 443\nFlow records of some of its "
    "packets.\n"
    ".TP\n.B netscope \\-i eth0 \\-\\-anomalies \\-\\-grpc\nLive, with alerts, served to netscopectl.\n"
    ".SH SEE ALSO\n"
    ".BR netscopectl (1),\n"
    ".BR pcap\\-filter (7),\n"
    ".BR tcpdump (8)\n";

// A character of running text as roff prints it. In bold, for names, a '-' is one that can be pasted into a shell.
static void add_character(struct strbuf *into, char character, bool bold)
{
    switch (character) {
    case '\\':
        strbuf_add(into, "\\e");
        break;
    case '-':
        strbuf_add(into, bold ? "\\-" : "-");
        break;
    case '~':
        strbuf_add(into, "\\(ti");
        break;
    case '^':
        strbuf_add(into, "\\(ha");
        break;
    default:
        strbuf_add_char(into, character);
    }
}

// Text of the table, in which `names` stand between backticks. A line that began with '.' would be a request.
static void add_text(struct strbuf *into, const char *text, bool bold)
{
    if (*text == '.' || *text == '\'')
        strbuf_add(into, "\\&");
    strbuf_add(into, bold ? "\\fB" : "");
    for (; *text != '\0'; text++) {
        if (*text == '`') {
            bold = !bold;
            strbuf_add(into, bold ? "\\fB" : "\\fR");
        } else {
            add_character(into, *text, bold);
        }
    }
    strbuf_add(into, bold ? "\\fR" : "");
}

// What `describe` tells of a row, in bold.
static void add_described(struct strbuf *into, const struct setting *setting,
                          void describe(struct strbuf *, const struct setting *), bool bold)
{
    enum { MAXIMUM = 1024 };
    struct strbuf words;
    strbuf_init(&words, MAXIMUM);
    describe(&words, setting);
    add_text(into, words.text, bold);
    strbuf_done(&words);
}

static void add_setting(struct strbuf *into, const struct setting *setting)
{
    const char *standard = setting->standard_words != NULL ? setting->standard_words : setting->standard;
    strbuf_add(into, ".TP\n");
    add_described(into, setting, describe_flag, true);
    if (setting->type != SETTING_BOOL) {
        strbuf_add(into, " \\fI");
        add_described(into, setting, describe_argument, false);
        strbuf_add(into, "\\fR");
    }
    strbuf_add_char(into, '\n');
    add_text(into, setting->doc, false);
    strbuf_add(into, "\n.br\nKey \\fB");
    strbuf_addf(into, "%s\\fR; ", setting->key);
    add_described(into, setting, describe_form, false);
    strbuf_add(into, standard[0] != '\0' ? "; default " : "");
    add_described(into, setting, describe_default, false);
    strbuf_addf(into, "; a change applies %s.\n",
                setting->applies == SETTING_LIVE ? "at once" : "at the next start");
}

static void add_section(struct strbuf *into, const struct setting_section *section)
{
    strbuf_addf(into, ".SS %s\n", section->title);
    for (unsigned i = 0; i < setting_count; i++)
        if (setting_in_section(&setting_table[i], section))
            add_setting(into, &setting_table[i]);
}

static void add_flag(struct strbuf *into, const struct flag_row *row)
{
    strbuf_add(into, ".TP\n");
    if (row->letter != 0)
        strbuf_addf(into, "\\fB\\-%c\\fR, ", row->letter);
    strbuf_add(into, "\\fB\\-\\-\\fR");
    add_text(into, row->name, true);
    strbuf_addf(into, "%s%s%s\n", row->argument != NULL ? " \\fI" : "",
                row->argument != NULL ? row->argument : "", row->argument != NULL ? "\\fR" : "");
    add_text(into, row->help, false);
    strbuf_add(into, ".\n");
}

void config_add_manual(struct strbuf *into)
{
    strbuf_add(into, head);
    for (unsigned i = 0; i < setting_section_count; i++)
        add_section(into, &setting_sections[i]);
    strbuf_add(into, ".SS Other\n");
    for (unsigned i = 0; i < flag_count; i++)
        if (!flag_table[i].hidden)
            add_flag(into, &flag_table[i]);
    strbuf_add(into, foot);
}
