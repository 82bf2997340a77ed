#include "config/config.h"

#include "base/strbuf.h"
#include "config/describe.h"

static const char introduction[] =
    "# Configuration\n"
    "\n"
    "<!-- Written by scripts/generate-docs from src/config/table.c; a test keeps them equal. -->\n"
    "\n"
    "Every setting has a key in the YAML file that `--config PATH` names, a flag, and a variable of the\n"
    "environment: `capture.snaplen`, `--snaplen` and `NETSCOPE_CAPTURE_SNAPLEN` are one setting. A flag "
    "wins\n"
    "over the environment, the environment over the file, the file over the default. A list from a higher\n"
    "level replaces that of a lower one; in a variable its items are separated by commas, a flag is "
    "repeated.\n"
    "Every true-or-false flag has its opposite: `--promiscuous`, `--no-promiscuous`. Times take `90`, "
    "`90s`,\n"
    "`5m` or `2h`. The path `-` means stdin to read, and stdout to write (one output at a time). The words\n"
    "after the flags are the packet filter.\n"
    "\n"
    "`netscope --check-config` checks all of it, `netscope --print-config` prints what is in effect, as "
    "YAML\n"
    "that loads back to the same. A wrong key, type or value ends the start with exit code 2 and a sentence\n"
    "that names file and line, flag or variable. Variables that begin with `NETSCOPE_` and set nothing are\n"
    "warned of, except those that Kubernetes makes for services.\n"
    "\n"
    "SIGHUP reads the settings file again while a run goes on, and so does a change of it. The last column "
    "tells when a change takes "
    "effect: "
    "`at\n"
    "once`, or `at start` of the next run, which is then said. A file with a mistake changes nothing.\n"
    "An output that is open keeps rotation and free space as it was opened with them.\n"
    "\n"
    "[netscope.yaml](../deploy/netscope.yaml) holds every key at its default.\n";

// A table cell: '|' would end it.
static void add_cell(struct strbuf *into, const char *text)
{
    for (; *text != '\0'; text++)
        strbuf_addf(into, "%s%c", *text == '|' ? "\\" : "", *text);
}

static void add_row(struct strbuf *into, const struct setting *setting)
{
    strbuf_addf(into, "| `%s` | `", setting->key);
    describe_flag(into, setting);
    strbuf_add(into, "` | ");
    describe_form(into, setting);
    strbuf_add(into, " | ");
    describe_default(into, setting);
    strbuf_add(into, " | ");
    add_cell(into, setting->doc);
    strbuf_addf(into, " | %s |\n", setting->applies == SETTING_LIVE ? "at once" : "at start");
}

void config_add_markdown(struct strbuf *into)
{
    strbuf_add(into, introduction);
    for (unsigned s = 0; s < setting_section_count; s++) {
        strbuf_addf(into,
                    "\n%s %s\n\n| key | flag | value | default | meaning | applies |\n| --- | --- | --- | "
                    "--- | --- | --- "
                    "|\n",
                    setting_depth(setting_sections[s].name) > 0 ? "###" : "##", setting_sections[s].title);
        for (unsigned i = 0; i < setting_count; i++) {
            if (setting_in_section(&setting_table[i], &setting_sections[s]))
                add_row(into, &setting_table[i]);
        }
    }
}
