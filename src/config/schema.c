#include "config/config.h"

#include <string.h>

#include "base/strbuf.h"
#include "config/table.h"

static const char seconds_form[] = "^[0-9]+(s|m|h)?$", milliseconds_form[] = "^[0-9]+(ms|s|m|h)?$";
// What a file that grows for as long as the sensor runs has to have beside it, on a disk that is a node's.
static const char stream_bounds[] = "output.rotate_mb\0output.max_files\0",
                  packet_bounds[] = "output.write_pcap_rotate_mb\0output.write_pcap_max_files\0";

static void add_text(struct strbuf *into, const char *text)
{
    strbuf_add_char(into, '"');
    for (; *text != '\0'; text++)
        strbuf_addf(into, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
    strbuf_add_char(into, '"');
}

static void add_names(struct strbuf *into, const struct setting *setting)
{
    strbuf_add(into, "\"enum\":[");
    for (int i = 0; setting->names[i] != NULL; i++) {
        strbuf_add(into, i > 0 ? "," : "");
        add_text(into, setting->names[i]);
    }
    strbuf_add_char(into, ']');
}

// A time may be text with its unit, which `form` tells; NULL: numbers only.
static void add_number(struct strbuf *into, const struct setting *setting, const char *form)
{
    strbuf_add(into,
               form != NULL ? "\"type\":[\"integer\",\"string\"],\"pattern\":" : "\"type\":\"integer\"");
    if (form != NULL)
        add_text(into, form);
    strbuf_addf(into, ",\"minimum\":%llu", (unsigned long long)setting->minimum);
    if (setting->maximum < UINT32_MAX)
        strbuf_addf(into, ",\"maximum\":%llu", (unsigned long long)setting->maximum);
}

static void add_type(struct strbuf *into, const struct setting *setting)
{
    switch (setting->type) {
    case SETTING_BOOL:
        strbuf_add(into, "\"type\":\"boolean\"");
        break;
    case SETTING_ENUM:
        add_names(into, setting);
        break;
    case SETTING_STRING:
    case SETTING_PATH:
        strbuf_add(into, "\"type\":\"string\"");
        break;
    case SETTING_LIST:
        strbuf_add(into, "\"type\":\"array\",\"items\":{\"type\":\"string\"}");
        break;
    case SETTING_SECS:
        add_number(into, setting, seconds_form);
        break;
    case SETTING_MS:
        add_number(into, setting, milliseconds_form);
        break;
    default:
        add_number(into, setting, NULL);
        break;
    }
}

static void add_property(struct strbuf *into, const struct setting *setting)
{
    add_text(into, setting_name(setting));
    strbuf_add(into, ":{");
    add_type(into, setting);
    strbuf_add(into, ",\"description\":");
    add_text(into, setting->doc);
    strbuf_add_char(into, '}');
}

// When the path is that of a file, its two bounds are more than 0.
static void add_bound(struct strbuf *into, const struct setting *setting)
{
    const char *first = setting->file == SETTING_STREAM ? stream_bounds : packet_bounds;
    const char *size = strchr(first, '.') + 1, *files = strchr(first + strlen(first) + 1, '.') + 1;
    strbuf_addf(
        into,
        "{\"if\":{\"required\":[\"%s\"],\"properties\":{\"%s\":{\"minLength\":1,\"not\":{\"const\":\"-\"}}}},"
        "\"then\":{\"required\":[\"%s\",\"%s\"],\"properties\":{\"%s\":{\"minimum\":1},\"%s\":{\"minimum\":1}"
        "}}}",
        setting_name(setting), setting_name(setting), size, files, size, files);
}

static void add_bounds(struct strbuf *into, const struct setting_section *section)
{
    const char *between = ",\"allOf\":[";
    for (unsigned i = 0; i < setting_count; i++) {
        const struct setting *setting = &setting_table[i];
        if (!setting_in_section(setting, section) ||
            (setting->file != SETTING_STREAM && setting->file != SETTING_PACKETS))
            continue;
        strbuf_add(into, between);
        between = ",";
        add_bound(into, setting);
    }
    strbuf_add(into, between[1] == '\0' ? "]" : "");
}

// Whether the section stands right in the other one; in none: NULL.
static bool is_within(const struct setting_section *section, const struct setting_section *outer)
{
    if (outer == NULL)
        return strchr(section->name, '.') == NULL;
    size_t length = strlen(outer->name);
    return strncmp(section->name, outer->name, length) == 0 && section->name[length] == '.' &&
           strchr(section->name + length + 1, '.') == NULL;
}

static void add_object(struct strbuf *into, const struct setting_section *section);

// The sections in it, and theirs: as deep as keys have dots.
static void add_sections(struct strbuf *into, const struct setting_section *outer, const char *between)
{
    for (unsigned s = 0; s < setting_section_count; s++) {
        const struct setting_section *section = &setting_sections[s];
        if (!is_within(section, outer))
            continue;
        const char *dot = strrchr(section->name, '.');
        strbuf_add(into, between);
        between = ",";
        add_text(into, dot != NULL ? dot + 1 : section->name);
        strbuf_add_char(into, ':');
        add_object(into, section);
    }
}

static void add_object(struct strbuf *into, const struct setting_section *section)
{
    const char *between = "";
    strbuf_add(into, "{\"type\":\"object\",\"additionalProperties\":false,\"title\":");
    add_text(into, section->title);
    strbuf_add(into, ",\"properties\":{");
    for (unsigned i = 0; i < setting_count; i++) {
        if (!setting_in_section(&setting_table[i], section))
            continue;
        strbuf_add(into, between);
        between = ",";
        add_property(into, &setting_table[i]);
    }
    add_sections(into, section, between);
    strbuf_add_char(into, '}');
    add_bounds(into, section);
    strbuf_add_char(into, '}');
}

void config_add_schema(struct strbuf *into)
{
    strbuf_add(into,
               "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"Settings of NetScope\","
               "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    add_sections(into, NULL, "");
    strbuf_add(into, "}}\n");
}
