#include "config/yaml_text.h"

#include <string.h>

#include "base/strbuf.h"
#include "config/describe.h"
#include "config/loading.h"
#include "config/value.h"

enum { COMMENT_COLUMNS = 100, DOC_MAXIMUM = 4096, INDENT = 2 };

static size_t utf8_tail(uint8_t first, uint32_t *point)
{
    if (first < 0x80) {
        *point = first;
        return 0;
    }
    size_t tail = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    *point = first & (0x3Fu >> tail);
    return tail;
}

// The character at the start of a terminated text: bytes it takes, or 0 when it is broken.
static size_t utf8_decode(const char *text, uint32_t *point)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)text[0];
    if ((first >= 0x80 && first < 0xC2) || first > 0xF4)
        return 0;
    size_t tail = utf8_tail(first, point);
    for (size_t i = 1; i <= tail; i++) {
        uint8_t byte = (uint8_t)text[i];
        if ((byte & 0xC0) != 0x80)
            return 0;
        *point = *point << 6 | (byte & 0x3Fu);
    }
    bool valid = *point >= least[tail] && *point <= 0x10FFFF && (*point < 0xD800 || *point > 0xDFFF);
    return valid ? tail + 1 : 0;
}

// Characters that YAML takes only escaped, or that a terminal would act upon.
static bool is_special(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x2000 && point < 0x2100) ||
           (point >= 0xFE00 && point < 0x10000);
}

// In double quotes. False when it is not UTF-8.
static bool add_string(struct strbuf *into, const char *text)
{
    strbuf_add_char(into, '"');
    while (*text != '\0') {
        uint32_t point = 0;
        size_t length = utf8_decode(text, &point);
        if (length == 0)
            return false;
        if (is_special(point))
            strbuf_addf(into, "\\u%04x", point);
        else
            strbuf_addf(into, "%s%.*s", point == '"' || point == '\\' ? "\\" : "", (int)length, text);
        text += length;
    }
    strbuf_add_char(into, '"');
    return true;
}

static bool add_list(struct strbuf *into, const struct string_list *list)
{
    strbuf_add_char(into, '[');
    for (unsigned i = 0; i < list->count; i++) {
        strbuf_add(into, i > 0 ? ", " : "");
        if (!add_string(into, list->items[i]))
            return false;
    }
    strbuf_add_char(into, ']');
    return true;
}

// The value alone: true, 60, "text", ["first", "second"].
static bool add_value(struct strbuf *into, const struct settings *settings, const struct setting *setting)
{
    if (setting->type == SETTING_LIST)
        return add_list(into, value_list(settings, setting));
    if (setting_is_text(setting))
        return add_string(into, value_text(settings, setting));
    value_add(into, settings, setting);
    return true;
}

static void add_indent(struct strbuf *into, const char *key)
{
    strbuf_add_repeat(into, ' ', INDENT * (size_t)setting_depth(key));
}

bool yaml_add_setting(struct strbuf *into, const struct settings *settings, const struct setting *setting)
{
    const char *name = setting_name(setting);
    add_indent(into, setting->key);
    if (setting->secret) {
        strbuf_addf(into, "# %s: (secret)\n", name);
        return true;
    }
    strbuf_addf(into, "%s%s: ", value_given(settings, setting) ? "" : "# ", name);
    bool fine = add_value(into, settings, setting);
    strbuf_add_char(into, '\n');
    return fine;
}

static void add_section(struct strbuf *into, const struct setting_section *section)
{
    const char *dot = strrchr(section->name, '.');
    add_indent(into, section->name);
    strbuf_addf(into, "%s:\n", dot != NULL ? dot + 1 : section->name);
}

bool config_add_yaml(struct strbuf *into, const struct settings *settings, struct error *error)
{
    for (unsigned s = 0; s < setting_section_count; s++) {
        add_section(into, &setting_sections[s]);
        for (unsigned i = 0; i < setting_count; i++) {
            const struct setting *setting = &setting_table[i];
            if (setting_in_section(setting, &setting_sections[s]) &&
                !yaml_add_setting(into, settings, setting))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "%s is not UTF-8, so it cannot be written as YAML; set it by a flag",
                                 setting->key);
        }
    }
    return true;
}

static void add_comment(struct strbuf *into, const struct setting *setting)
{
    struct strbuf text, indent;
    strbuf_init(&text, DOC_MAXIMUM);
    strbuf_init(&indent, COMMENT_COLUMNS);
    add_indent(&indent, setting->key);
    strbuf_add(&indent, "# ");
    strbuf_addf(&text, "%s (", setting->doc);
    describe_form(&text, setting);
    strbuf_add(&text, "; ");
    describe_flag(&text, setting);
    strbuf_add_char(&text, ')');
    strbuf_add(into, indent.text);
    describe_wrapped(into, text.text, indent.length, indent.text, COMMENT_COLUMNS);
    strbuf_add_char(into, '\n');
    strbuf_done(&text);
    strbuf_done(&indent);
}

static void add_example_section(struct strbuf *into, const struct settings *defaults,
                                const struct setting_section *section)
{
    strbuf_add_char(into, '\n');
    add_section(into, section);
    for (unsigned i = 0; i < setting_count; i++) {
        const struct setting *setting = &setting_table[i];
        if (!setting_in_section(setting, section))
            continue;
        add_comment(into, setting);
        yaml_add_setting(into, defaults, setting);
    }
}

void config_add_example(struct strbuf *into)
{
    struct loading loading;
    struct settings defaults;
    struct error error;
    strbuf_add(into,
               "# Every setting of NetScope at its default. Use: netscope --config netscope.yaml\n"
               "# Written by scripts/generate-docs from src/config/table.c; a test keeps them equal.\n");
    into->failed = !loading_begin(&loading, &defaults, &error); // without memory
    for (unsigned s = 0; s < setting_section_count; s++)
        add_example_section(into, &defaults, &setting_sections[s]);
    settings_done(&defaults);
}
