#include "config/describe.h"

#include <string.h>

#include "base/strbuf.h"

static void add_names(struct strbuf *into, const struct setting *setting, const char *between)
{
    for (int i = 0; setting->names[i] != NULL; i++)
        strbuf_addf(into, "%s%s", i > 0 ? between : "", setting->names[i]);
}

static const char *argument_of(enum setting_type type)
{
    switch (type) {
    case SETTING_MB:
        return "MB";
    case SETTING_SECS:
    case SETTING_MS:
        return "TIME";
    case SETTING_STRING:
        return "TEXT";
    case SETTING_PATH:
        return "PATH";
    case SETTING_LIST:
        return "ITEM";
    default:
        return "N";
    }
}

void describe_argument(struct strbuf *into, const struct setting *setting)
{
    if (setting->type == SETTING_ENUM)
        add_names(into, setting, "|");
    else if (setting->type != SETTING_BOOL)
        strbuf_add(into, setting->argument != NULL ? setting->argument : argument_of(setting->type));
}

static const char *unit_of(const struct setting *setting)
{
    if (setting->unit != NULL)
        return setting->unit;
    if (setting->type == SETTING_MB)
        return "MiB";
    if (setting->type == SETTING_SECS)
        return "seconds, or with s, m or h";
    return setting->type == SETTING_MS ? "milliseconds, or with ms, s, m or h" : "";
}

static void add_range(struct strbuf *into, const struct setting *setting)
{
    if (setting->maximum >= UINT32_MAX)
        strbuf_addf(into, "%llu or more", (unsigned long long)setting->minimum);
    else
        strbuf_addf(into, "%llu to %llu", (unsigned long long)setting->minimum,
                    (unsigned long long)setting->maximum);
    const char *unit = unit_of(setting);
    strbuf_addf(into, "%s%s", unit[0] != '\0' ? " " : "", unit);
}

void describe_form(struct strbuf *into, const struct setting *setting)
{
    switch (setting->type) {
    case SETTING_BOOL:
        strbuf_add(into, "true or false");
        break;
    case SETTING_ENUM:
        add_names(into, setting, ", ");
        break;
    case SETTING_STRING:
        strbuf_add(into, "text");
        break;
    case SETTING_PATH:
        strbuf_add(into, "path");
        break;
    case SETTING_LIST:
        strbuf_add(into, "list");
        break;
    default:
        add_range(into, setting);
        break;
    }
}

void describe_default(struct strbuf *into, const struct setting *setting)
{
    strbuf_add(into, setting->standard_words != NULL ? setting->standard_words : setting->standard);
}

void describe_flag(struct strbuf *into, const struct setting *setting)
{
    char flag[SETTING_FLAG_BYTES];
    setting_flag(setting, flag);
    if (setting->letter != 0)
        strbuf_addf(into, "-%c, ", setting->letter);
    strbuf_addf(into, "--%s%s", setting->type == SETTING_BOOL ? "[no-]" : "", flag);
}

void describe_wrapped(struct strbuf *into, const char *text, size_t column, const char *indent, size_t width)
{
    for (bool first = true; *text != '\0'; first = false) {
        size_t word = strcspn(text, " ");
        if (!first && column + 1 + word > width) {
            strbuf_addf(into, "\n%s", indent);
            column = strlen(indent);
        } else if (!first) {
            strbuf_add_char(into, ' ');
            column++;
        }
        strbuf_add_bytes(into, text, word);
        column += word;
        text += word + strspn(text + word, " ");
    }
}
