#include "config/loading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/denial.h"
#include "config/toml_hint.h"
#include "config/value.h"

enum { FILE_MAXIMUM = 1 << 20, SHOWN_BYTES = 120 };

struct reading {
    yaml_parser_t parser;
    const char *name; // of the file, in errors
    struct loading *loading;
    unsigned documents;
    struct error *error;
};

static unsigned line_of(yaml_mark_t mark)
{
    return (unsigned)mark.line + 1;
}

static bool refuse(struct reading *reading, const yaml_event_t *event, const char *sentence)
{
    return error_set(reading->error, ERROR_INVALID_ARGUMENT, "%s:%u: %s", reading->name,
                     line_of(event->start_mark), sentence);
}

static bool parser_error(struct reading *reading)
{
    const yaml_parser_t *parser = &reading->parser;
    if (parser->error == YAML_READER_ERROR)
        return error_set(reading->error, ERROR_INVALID_ARGUMENT, "%s: byte %zu: not text in UTF-8: %s",
                         reading->name, parser->problem_offset, parser->problem);
    return error_set(reading->error, ERROR_INVALID_ARGUMENT, "%s:%u: not YAML: %s%s%s", reading->name,
                     line_of(parser->problem_mark),
                     parser->problem != NULL ? parser->problem : "out of memory",
                     parser->context != NULL ? ", " : "", parser->context != NULL ? parser->context : "");
}

static bool is_tagged(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.tag != NULL || event->data.scalar.anchor != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.tag != NULL || event->data.sequence_start.anchor != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.tag != NULL || event->data.mapping_start.anchor != NULL;
    default:
        return event->type == YAML_ALIAS_EVENT;
    }
}

static bool holds_nul(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT &&
           memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL;
}

// The next event; on success it is the caller's to delete.
static bool take_event(struct reading *reading, yaml_event_t *event)
{
    if (!yaml_parser_parse(&reading->parser, event))
        return parser_error(reading);
    bool fine = true;
    if (is_tagged(event))
        fine = refuse(reading, event, "aliases, anchors and tags are not used here; write the value out");
    else if (holds_nul(event))
        fine = refuse(reading, event, "a value holds the character NUL; remove it");
    if (!fine)
        yaml_event_delete(event);
    return fine;
}

static const char *scalar_text(const yaml_event_t *event)
{
    return (const char *)event->data.scalar.value;
}

static bool is_null(const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *text = scalar_text(event);
    return text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

static bool unknown_key(struct reading *reading, unsigned line, const char *path)
{
    const char *now = setting_renamed(path);
    if (now != NULL)
        return error_set(reading->error, ERROR_INVALID_ARGUMENT, "%s:%u: %s is called %s now; rename it",
                         reading->name, line, path, now);
    const char *nearest = setting_nearest(path);
    if (nearest == NULL)
        return error_set(reading->error, ERROR_INVALID_ARGUMENT,
                         "%s:%u: unknown key %.*s; netscope --print-config shows all", reading->name, line,
                         SHOWN_BYTES, path);
    return error_set(reading->error, ERROR_INVALID_ARGUMENT, "%s:%u: unknown key %.*s; the nearest is %s",
                     reading->name, line, SHOWN_BYTES, path, nearest);
}

static bool put(struct reading *reading, unsigned index, const yaml_event_t *event)
{
    char origin[ORIGIN_BYTES];
    snprintf(origin, sizeof origin, "%s:%u", reading->name, line_of(event->start_mark));
    return loading_put(reading->loading, index, LEVEL_FILE, origin, scalar_text(event), reading->error);
}

static bool read_item(struct reading *reading, unsigned index, bool *more)
{
    yaml_event_t event;
    if (!take_event(reading, &event))
        return false;
    bool fine = true;
    *more = event.type != YAML_SEQUENCE_END_EVENT;
    if (*more && event.type == YAML_SCALAR_EVENT)
        fine = put(reading, index, &event);
    else if (*more)
        fine =
            refuse(reading, &event, "an item of this list must be one word or text, no list and no mapping");
    yaml_event_delete(&event);
    return fine;
}

static bool read_list(struct reading *reading, unsigned index, const yaml_event_t *start)
{
    char origin[ORIGIN_BYTES];
    snprintf(origin, sizeof origin, "%s:%u", reading->name, line_of(start->start_mark));
    loading_put_empty(reading->loading, index, LEVEL_FILE, origin);
    bool more = true;
    while (more) {
        if (!read_item(reading, index, &more))
            return false;
    }
    return true;
}

static bool wrong_shape(struct reading *reading, const struct setting *setting, const yaml_event_t *event)
{
    const char *mend = setting->type == SETTING_LIST ? "must be a list, such as [first, second]"
                                                     : "must be one value, not a list or a mapping";
    return error_set(reading->error, ERROR_INVALID_ARGUMENT, "%s:%u: %s: %s", reading->name,
                     line_of(event->start_mark), setting->key, mend);
}

static bool set_from_event(struct reading *reading, unsigned index, const yaml_event_t *event)
{
    const struct setting *setting = &setting_table[index];
    bool list = setting->type == SETTING_LIST;
    if (is_null(event))
        return true;
    if (list && event->type == YAML_SEQUENCE_START_EVENT)
        return read_list(reading, index, event);
    if (list || event->type != YAML_SCALAR_EVENT)
        return wrong_shape(reading, setting, event);
    return put(reading, index, event);
}

static bool read_setting(struct reading *reading, unsigned index, unsigned line)
{
    if (reading->loading->levels[index] == LEVEL_FILE)
        return error_set(reading->error, ERROR_INVALID_ARGUMENT,
                         "%s:%u: %s stands here a second time, first at %s; keep one", reading->name, line,
                         setting_table[index].key, reading->loading->origins[index]);
    yaml_event_t event;
    if (!take_event(reading, &event))
        return false;
    bool fine = set_from_event(reading, index, &event);
    yaml_event_delete(&event);
    return fine;
}

static bool read_mapping(struct reading *reading, const char *path);

static bool read_section(struct reading *reading, const char *path)
{
    yaml_event_t event;
    if (!take_event(reading, &event))
        return false;
    bool fine = true;
    if (event.type == YAML_MAPPING_START_EVENT)
        fine = read_mapping(reading, path);
    else if (!is_null(&event))
        fine = refuse(reading, &event, "this key opens a section; its keys stand below it, indented");
    yaml_event_delete(&event);
    return fine;
}

static bool read_entry(struct reading *reading, const char *path, const yaml_event_t *key)
{
    if (key->type != YAML_SCALAR_EVENT)
        return refuse(reading, key, "a key must be a word");
    char below[SETTING_KEY_BYTES];
    int length = snprintf(below, sizeof below, "%s%s%s", path, path[0] != '\0' ? "." : "", scalar_text(key));
    unsigned line = line_of(key->start_mark);
    if (length < 0 || (size_t)length >= sizeof below)
        return unknown_key(reading, line, below);
    int index = setting_find(below);
    if (index >= 0)
        return read_setting(reading, (unsigned)index, line);
    return setting_is_section(below) ? read_section(reading, below) : unknown_key(reading, line, below);
}

// Recursion is bounded by the sections of the table.
static bool read_mapping(struct reading *reading, const char *path)
{
    for (bool fine = true; fine;) {
        yaml_event_t key;
        if (!take_event(reading, &key))
            return false;
        bool end = key.type == YAML_MAPPING_END_EVENT;
        fine = end || read_entry(reading, path, &key);
        yaml_event_delete(&key);
        if (end)
            return true;
    }
    return false;
}

// What may stand at the top: sections, or nothing at all.
static bool read_top(struct reading *reading, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_MAPPING_START_EVENT:
        return read_mapping(reading, "");
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_END_EVENT:
        return true;
    case YAML_DOCUMENT_START_EVENT:
        return reading->documents++ == 0 || refuse(reading, event, "a second document begins here; keep one");
    default:
        return is_null(event) ||
               refuse(reading, event, "must hold sections such as `capture:` with keys below them");
    }
}

static bool read_stream(struct reading *reading)
{
    for (bool end = false; !end;) {
        yaml_event_t event;
        if (!take_event(reading, &event))
            return false;
        end = event.type == YAML_STREAM_END_EVENT;
        bool fine = read_top(reading, &event);
        yaml_event_delete(&event);
        if (!fine)
            return false;
    }
    return true;
}

bool settings_file_parse(const char *name, const char *bytes, size_t length, struct loading *loading,
                         struct error *error)
{
    if (!toml_refuse(name, bytes, length, error))
        return false;
    struct reading reading = {.name = name, .loading = loading, .error = error};
    if (!yaml_parser_initialize(&reading.parser))
        return error_set(error, ERROR_EXHAUSTED, "%s: there is no memory left to read it", name);
    yaml_parser_set_input_string(&reading.parser, (const unsigned char *)bytes, length);
    bool fine = read_stream(&reading);
    yaml_parser_delete(&reading.parser);
    return fine;
}

static bool read_bytes(FILE *file, const char *path, char *bytes, size_t *length, struct error *error)
{
    *length = fread(bytes, 1, FILE_MAXIMUM + 1, file);
    if (ferror(file))
        return error_set(error, ERROR_INVALID_ARGUMENT, "cannot read the settings file %s: %s", path,
                         strerror(errno));
    if (*length > FILE_MAXIMUM)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s: larger than 1 MiB, so it can hardly be a settings file", path);
    return true;
}

bool settings_file_read(const char *path, struct loading *loading, struct error *error)
{
    if (path[0] == '\0')
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "--config is given an empty path; it takes that of a YAML file");
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    if (file == NULL)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "cannot open the settings file %s: %s%s; --config names a YAML file", path,
                         strerror(errno), denial_reading(errno));
    char *bytes = malloc(FILE_MAXIMUM + 1);
    size_t length = 0;
    bool fine = bytes != NULL
                    ? read_bytes(file, path, bytes, &length, error)
                    : error_set(error, ERROR_EXHAUSTED, "%s: there is no memory left to read it", path);
    fine = fine && settings_file_parse(standard ? "standard input" : path, bytes, length, loading, error);
    free(bytes);
    if (!standard)
        fclose(file);
    return fine;
}
