#include "ctl/completion.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "config/table.h"

static const char bash_script[] =
    "_netscopectl() {\n"
    "    local IFS=$'\\n'\n"
    "    COMPREPLY=($(netscopectl __complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null))\n"
    "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]] && compopt -o nospace\n"
    "}\n"
    "complete -F _netscopectl netscopectl\n";
static const char zsh_script[] =
    "#compdef netscopectl\n"
    "_netscopectl() {\n"
    "    local -a candidates\n"
    "    candidates=(\"${(@f)$(netscopectl __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    compadd -Q -a candidates\n"
    "}\n"
    "compdef _netscopectl netscopectl\n";
static const char fish_script[] = "function __netscopectl_complete\n"
                                  "    set -l words (commandline -opc) (commandline -ct)\n"
                                  "    netscopectl __complete -- $words[2..-1] 2>/dev/null\n"
                                  "end\n"
                                  "complete -c netscopectl -f -a '(__netscopectl_complete)'\n";

const char *completion_script(const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        return bash_script;
    if (strcmp(shell, "zsh") == 0)
        return zsh_script;
    return strcmp(shell, "fish") == 0 ? fish_script : NULL;
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static void offer(struct strbuf *into, const char *candidate, const char *written, const char *end)
{
    if (begins_with(candidate, written))
        strbuf_addf(into, "%s%s\n", candidate, end);
}

// The first words of commands, or the second ones of those that have two.
static void offer_commands(struct strbuf *into, const char *first, const char *written)
{
    char offered[32] = "";
    for (unsigned i = 0; i < command_count; i++) {
        const char *name = command_table[i].name, *blank = strchr(name, ' ');
        char word[32];
        if (command_table[i].hidden)
            continue;
        if (first != NULL) {
            if (blank != NULL && strlen(first) == (size_t)(blank - name) && begins_with(name, first))
                offer(into, blank + 1, written, "");
            continue;
        }
        snprintf(word, sizeof word, "%.*s", blank != NULL ? (int)(blank - name) : (int)strlen(name), name);
        if (strcmp(word, offered) != 0)
            offer(into, word, written, "");
        strcpy(offered, word);
    }
}

static void offer_options(struct strbuf *into, const struct command *command, const char *written)
{
    for (const struct option_group *const *group = command->groups; *group != NULL; group++) {
        if ((*group)->filters)
            offer(into, "--not", written, "");
        for (const struct option_row *row = (*group)->rows; row->name != NULL; row++) {
            char option[64];
            snprintf(option, sizeof option, "--%s", row->name);
            offer(into, option, written, "");
        }
    }
    offer(into, "--help", written, "");
}

static void offer_files(struct strbuf *into, const char *written)
{
    glob_t found;
    char pattern[4096];
    if (strpbrk(written, "*?[\\") != NULL)
        return;
    snprintf(pattern, sizeof pattern, "%s*", written);
    if (glob(pattern, GLOB_MARK, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        strbuf_addf(into, "%s\n", found.gl_pathv[i]);
    globfree(&found);
}

static void offer_keys(struct strbuf *into, const char *written, const char *end)
{
    for (unsigned i = 0; i < setting_count; i++)
        if (setting_table[i].note == NULL)
            offer(into, setting_table[i].key, written, end);
}

static void offer_arguments(struct strbuf *into, const struct command *command, const char *written)
{
    if (strcmp(command->name, "config get") == 0 || strcmp(command->name, "config reset") == 0)
        offer_keys(into, written, "");
    else if (strcmp(command->name, "config apply") == 0)
        offer_keys(into, written, "=");
    for (const char *shell = strcmp(command->name, "completion") == 0 ? "bash\0zsh\0fish\0" : "";
         *shell != '\0'; shell += strlen(shell) + 1)
        offer(into, shell, written, "");
}

// The option that a word is, when its value is the next word; NULL = it is none such.
static const struct option_row *awaits_value(const struct command *command, const char *word)
{
    bool filters;
    const struct option_row *row = NULL;
    if (word[0] != '-')
        return NULL;
    if (word[1] == '-')
        row = command_option(command, word + 2, 0, &filters);
    else if (word[1] != '\0' && word[2] == '\0')
        row = command_option(command, NULL, word[1], &filters);
    return row != NULL && row->argument != NULL ? row : NULL;
}

struct completing {
    struct strbuf *into;
    char *const *words;
    int count;
    ask_hints *ask;
};

static void offer_values(const struct completing *completing, const struct option_row *row,
                         const char *written)
{
    for (const char *const *word = row->words; word != NULL && *word != NULL; word++)
        offer(completing->into, *word, written, "");
    if (strcmp(row->argument, "FILE") == 0)
        offer_files(completing->into, written);
    if (row->hint != 0 && completing->ask != NULL)
        completing->ask(completing->into, row->hint, written, completing->words, completing->count - 1);
}

void completion_add(struct strbuf *into, char *const words[], int count, ask_hints *ask)
{
    int used = 0;
    struct completing completing = {into, words, count, ask};
    if (count == 0)
        return;
    const char *written = words[count - 1];
    const struct command *command = command_find(words, count - 1, &used);
    if (command == NULL) {
        offer_commands(into, count > 1 ? words[0] : NULL, written);
        return;
    }
    const struct option_row *row = count - 1 > used ? awaits_value(command, words[count - 2]) : NULL;
    // bash makes words of "--tcp-state=es": the option, "=", and the value.
    bool split = count - 1 > used + 1 && strcmp(words[count - 2], "=") == 0;
    if (split)
        row = awaits_value(command, words[count - 3]);
    else if (row != NULL && strcmp(written, "=") == 0)
        written = "";
    if (row != NULL)
        offer_values(&completing, row, written);
    else if (written[0] == '-')
        offer_options(into, command, written);
    else
        offer_arguments(into, command, written);
}
