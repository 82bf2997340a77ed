#include "config/config.h"

#include <string.h>

#include "base/strbuf.h"
#include "config/flags.h"

// What may follow a flag, as the script offers it.
enum offer { OFFER_NOTHING, OFFER_PATHS, OFFER_INTERFACES, OFFERS };

static const char head[] =
    "# shellcheck shell=bash\n"
    "# Completion of netscope for bash. Written by scripts/generate-docs from src/config/table.c; a test "
    "keeps them equal.\n"
    "_netscope() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} flags\n"
    "    # bash makes words of \"--report=json\": the flag, \"=\", and the value.\n"
    "    if [[ $word == \"=\" ]]; then\n"
    "        word=\n"
    "    elif [[ $flag == \"=\" ]]; then\n"
    "        flag=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    COMPREPLY=()\n"
    "    case $flag in\n";

static const char *const answers[OFFERS] = {
    [OFFER_NOTHING] = ") return ;;\n",
    [OFFER_PATHS] = ")\n"
                    "        compopt -o filenames\n"
                    "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
                    "        return\n"
                    "        ;;\n",
    [OFFER_INTERFACES] = ")\n"
                         "        mapfile -t COMPREPLY < <(compgen -W \"auto any $(cd /sys/class/net "
                         "2>/dev/null && echo *)\" -- \"$word\")\n"
                         "        return\n"
                         "        ;;\n",
};

static enum offer offer_of(const struct setting *setting)
{
    if (strcmp(setting->key, "capture.interfaces") == 0 || strcmp(setting->key, "capture.exclude") == 0)
        return OFFER_INTERFACES;
    return setting->type == SETTING_PATH || setting->file != SETTING_NO_FILE ? OFFER_PATHS : OFFER_NOTHING;
}

static bool is_shown(const struct setting *setting)
{
    return setting->note == NULL;
}

// "-s | --snaplen": patterns of a case.
static void add_pattern(struct strbuf *into, const char *name, char letter, bool first)
{
    strbuf_add(into, first ? "    " : " | ");
    if (letter != 0)
        strbuf_addf(into, "-%c | ", letter);
    strbuf_addf(into, "--%s", name);
}

static void add_enum(struct strbuf *into, const struct setting *setting)
{
    char name[SETTING_FLAG_BYTES];
    setting_flag(setting, name);
    add_pattern(into, name, setting->letter, true);
    strbuf_add(into, ") flags=\"");
    for (int i = 0; setting->names[i] != NULL; i++)
        strbuf_addf(into, "%s%s", i > 0 ? " " : "", setting->names[i]);
    strbuf_add(into, "\" ;;\n");
}

// The flags whose values are offered in one way: a branch of the case. Of the flags that are no settings those with an
// argument take a path.
static void add_branch(struct strbuf *into, enum offer offer)
{
    bool first = true;
    for (unsigned i = 0; i < setting_count; i++) {
        const struct setting *setting = &setting_table[i];
        char name[SETTING_FLAG_BYTES];
        if (!is_shown(setting) || setting->type == SETTING_BOOL || setting->type == SETTING_ENUM ||
            offer_of(setting) != offer)
            continue;
        setting_flag(setting, name);
        add_pattern(into, name, setting->letter, first);
        first = false;
    }
    for (unsigned i = 0; offer == OFFER_PATHS && i < flag_count; i++)
        if (!flag_table[i].hidden && flag_table[i].argument != NULL)
            add_pattern(into, flag_table[i].name, flag_table[i].letter, false);
    strbuf_add(into, answers[offer]);
}

static void add_all_flags(struct strbuf *into)
{
    for (unsigned i = 0; i < setting_count; i++) {
        char name[SETTING_FLAG_BYTES];
        if (!is_shown(&setting_table[i]))
            continue;
        setting_flag(&setting_table[i], name);
        strbuf_addf(into, "\n--%s", name);
        if (setting_table[i].type == SETTING_BOOL)
            strbuf_addf(into, "\n--no-%s", name);
    }
    for (unsigned i = 0; i < flag_count; i++)
        if (!flag_table[i].hidden)
            strbuf_addf(into, "\n--%s", flag_table[i].name);
}

void config_add_completion(struct strbuf *into)
{
    strbuf_add(into, head);
    for (unsigned i = 0; i < setting_count; i++)
        if (is_shown(&setting_table[i]) && setting_table[i].type == SETTING_ENUM)
            add_enum(into, &setting_table[i]);
    for (int offer = 0; offer < OFFERS; offer++)
        add_branch(into, (enum offer)offer);
    strbuf_add(into, "    *)\n        [[ $word == -* ]] || return\n        flags=\"");
    add_all_flags(into);
    strbuf_add(into,
               "\"\n        ;;\n    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$word\")\n"
               "}\ncomplete -F _netscope netscope\n");
}
