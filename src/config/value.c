#include "config/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

enum { LIST_MAXIMUM = 1024, SHOWN_BYTES = 120 };

struct span_unit {
    const char *suffix;
    uint64_t of_base; // how many base units it holds
};

static const struct span_unit second_units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {NULL, 0}};
static const struct span_unit millisecond_units[] = {{"", 1},      {"ms", 1},      {"s", 1000},
                                                     {"m", 60000}, {"h", 3600000}, {NULL, 0}};
static const struct span_unit no_units[] = {{"", 1}, {NULL, 0}};

static void *member(struct settings *settings, const struct setting *setting)
{
    assert(setting->offset < sizeof *settings);
    return (char *)settings + setting->offset;
}

static const void *const_member(const struct settings *settings, const struct setting *setting)
{
    assert(setting->offset < sizeof *settings);
    return (const char *)settings + setting->offset;
}

static bool out_of_memory(struct error *error)
{
    return error_set(error, ERROR_EXHAUSTED, "there is no memory left for it");
}

static bool set_bool(void *into, const char *text, struct error *error)
{
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return error_set(error, ERROR_INVALID_ARGUMENT, "must be true or false, not \"%.*s\"", SHOWN_BYTES,
                         text);
    memcpy(into, &yes, sizeof yes);
    return true;
}

bool value_read_digits(const char *text, uint64_t *value, const char **rest)
{
    *value = 0;
    *rest = text;
    for (; **rest >= '0' && **rest <= '9'; ++*rest) {
        if (__builtin_mul_overflow(*value, (uint64_t)10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(**rest - '0'), value))
            return false;
    }
    return *rest > text;
}

static const struct span_unit *units_of(const struct setting *setting)
{
    if (setting->type == SETTING_SECS)
        return second_units;
    return setting->type == SETTING_MS ? millisecond_units : no_units;
}

static const char *form_of(const struct setting *setting)
{
    if (setting->type == SETTING_SECS)
        return "a time such as 90, 90s, 5m or 2h";
    return setting->type == SETTING_MS ? "a time such as 500, 500ms or 2s" : "a whole number";
}

static bool out_of_range(const struct setting *setting, const char *text, bool too_large, struct error *error)
{
    return error_set(error, ERROR_INVALID_ARGUMENT, "must be between %llu and %llu; %.*s is too %s",
                     (unsigned long long)setting->minimum, (unsigned long long)setting->maximum, SHOWN_BYTES,
                     text, too_large ? "large" : "small");
}

static bool read_number(const struct setting *setting, const char *text, uint64_t *value, struct error *error)
{
    const char *suffix;
    if (!value_read_digits(text, value, &suffix)) {
        bool too_large = *suffix >= '0' && *suffix <= '9';
        return too_large ? out_of_range(setting, text, true, error)
                         : error_set(error, ERROR_INVALID_ARGUMENT, "must be %s, not \"%.*s\"",
                                     form_of(setting), SHOWN_BYTES, text);
    }
    for (const struct span_unit *unit = units_of(setting); unit->suffix != NULL; unit++) {
        if (strcmp(unit->suffix, suffix) != 0)
            continue;
        if (__builtin_mul_overflow(*value, unit->of_base, value))
            *value = UINT64_MAX;
        return true;
    }
    return error_set(error, ERROR_INVALID_ARGUMENT, "must be %s, not \"%.*s\"", form_of(setting), SHOWN_BYTES,
                     text);
}

static bool set_number(void *into, const struct setting *setting, const char *text, struct error *error)
{
    uint64_t value;
    if (!read_number(setting, text, &value, error))
        return false;
    if (value < setting->minimum || value > setting->maximum)
        return out_of_range(setting, text, value > setting->maximum, error);
    uint32_t narrow = (uint32_t)value;
    if (setting->type == SETTING_BIG)
        memcpy(into, &value, sizeof value);
    else
        memcpy(into, &narrow, sizeof narrow);
    return true;
}

static bool set_enum(void *into, const struct setting *setting, const char *text, struct error *error)
{
    struct strbuf names;
    strbuf_init(&names, ERROR_TEXT_BYTES);
    assert(setting->names != NULL);
    for (int i = 0; setting->names[i] != NULL; i++) {
        if (strcmp(setting->names[i], text) == 0) {
            memcpy(into, &i, sizeof i);
            strbuf_done(&names);
            return true;
        }
        strbuf_addf(&names, "%s%s", i > 0 ? ", " : "", setting->names[i]);
    }
    error_set(error, ERROR_INVALID_ARGUMENT, "must be one of %s, not \"%.*s\"", names.text, SHOWN_BYTES,
              text);
    strbuf_done(&names);
    return false;
}

static bool set_text(char **into, const char *text, struct error *error)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return out_of_memory(error);
    free(*into);
    *into = copy;
    return true;
}

static bool append_item(struct string_list *list, const char *text, struct error *error)
{
    if (text[0] == '\0')
        return error_set(error, ERROR_INVALID_ARGUMENT, "must not hold an empty item");
    if (list->count == LIST_MAXIMUM)
        return error_set(error, ERROR_INVALID_ARGUMENT, "must hold at most %d items", LIST_MAXIMUM);
    char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return out_of_memory(error);
    list->items = items;
    items[list->count] = strdup(text);
    if (items[list->count] == NULL)
        return out_of_memory(error);
    list->count++;
    return true;
}

bool value_set(struct settings *settings, const struct setting *setting, const char *text,
               struct error *error)
{
    void *into = member(settings, setting);
    switch (setting->type) {
    case SETTING_BOOL:
        return set_bool(into, text, error);
    case SETTING_ENUM:
        return set_enum(into, setting, text, error);
    case SETTING_STRING:
    case SETTING_PATH:
        return set_text(into, text, error);
    case SETTING_LIST:
        return append_item(into, text, error);
    case SETTING_NUMBER:
    case SETTING_BIG:
    case SETTING_MB:
    case SETTING_SECS:
    case SETTING_MS:
        break;
    }
    return set_number(into, setting, text, error);
}

static void clear_list(struct string_list *list)
{
    for (unsigned i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}

void value_clear(struct settings *settings, const struct setting *setting)
{
    void *at = member(settings, setting);
    if (setting->type == SETTING_LIST)
        clear_list(at);
    if (setting_is_text(setting)) {
        char **text = at;
        free(*text);
        *text = NULL;
    }
}

bool value_append_items(struct settings *settings, const struct setting *setting, const char *items,
                        struct error *error)
{
    if (items[0] == '\0')
        return true;
    char *copy = strdup(items);
    if (copy == NULL)
        return out_of_memory(error);
    bool fine = true;
    char *rest = copy;
    for (char *item = strsep(&rest, ","); fine && item != NULL; item = strsep(&rest, ","))
        fine = value_set(settings, setting, item, error);
    free(copy);
    return fine;
}

bool value_set_default(struct settings *settings, const struct setting *setting, struct error *error)
{
    if (setting->type == SETTING_LIST)
        return value_append_items(settings, setting, setting->standard, error);
    return value_set(settings, setting, setting->standard, error);
}

static size_t size_of(const struct setting *setting)
{
    switch (setting->type) {
    case SETTING_BOOL:
        return sizeof(bool);
    case SETTING_BIG:
        return sizeof(uint64_t);
    case SETTING_ENUM:
        return sizeof(int);
    default:
        assert(setting->type != SETTING_LIST && !setting_is_text(setting));
        return sizeof(uint32_t);
    }
}

static bool copy_list(struct string_list *to, const struct string_list *from, struct error *error)
{
    struct string_list copy = {0};
    for (unsigned i = 0; i < from->count; i++) {
        if (!append_item(&copy, from->items[i], error)) {
            clear_list(&copy);
            return false;
        }
    }
    clear_list(to);
    *to = copy;
    return true;
}

bool value_copy(struct settings *to, const struct settings *from, const struct setting *setting,
                struct error *error)
{
    void *into = member(to, setting);
    assert(to != from);
    if (setting->type == SETTING_LIST && !copy_list(into, value_list(from, setting), error))
        return false;
    if (setting_is_text(setting) && !set_text(into, value_text(from, setting), error))
        return false;
    if (setting->type != SETTING_LIST && !setting_is_text(setting))
        memcpy(into, const_member(from, setting), size_of(setting));
    if (setting->given_offset != SIZE_MAX)
        memcpy((char *)to + setting->given_offset, (const char *)from + setting->given_offset, sizeof(bool));
    return true;
}

static bool lists_are_equal(const struct string_list *left, const struct string_list *right)
{
    bool equal = left->count == right->count;
    for (unsigned i = 0; equal && i < left->count; i++)
        equal = strcmp(left->items[i], right->items[i]) == 0;
    return equal;
}

bool value_is_equal(const struct settings *left, const struct settings *right, const struct setting *setting)
{
    if (setting->type == SETTING_LIST)
        return lists_are_equal(value_list(left, setting), value_list(right, setting));
    if (setting_is_text(setting))
        return strcmp(value_text(left, setting), value_text(right, setting)) == 0;
    return memcmp(const_member(left, setting), const_member(right, setting), size_of(setting)) == 0;
}

static uint64_t number(const struct settings *settings, const struct setting *setting)
{
    uint32_t narrow;
    uint64_t wide;
    if (setting->type == SETTING_BIG) {
        memcpy(&wide, const_member(settings, setting), sizeof wide);
        return wide;
    }
    memcpy(&narrow, const_member(settings, setting), sizeof narrow);
    return narrow;
}

static const char *bool_or_name(const struct settings *settings, const struct setting *setting)
{
    if (setting->type == SETTING_ENUM) {
        int index;
        memcpy(&index, const_member(settings, setting), sizeof index);
        assert(index >= 0);
        return setting->names[index];
    }
    bool yes;
    memcpy(&yes, const_member(settings, setting), sizeof yes);
    return yes ? "true" : "false";
}

void value_add(struct strbuf *into, const struct settings *settings, const struct setting *setting)
{
    if (setting->type == SETTING_BOOL || setting->type == SETTING_ENUM)
        strbuf_add(into, bool_or_name(settings, setting));
    else if (setting_is_text(setting))
        strbuf_add(into, value_text(settings, setting));
    else if (setting->type != SETTING_LIST)
        strbuf_add_u64(into, number(settings, setting));
}

const struct string_list *value_list(const struct settings *settings, const struct setting *setting)
{
    return const_member(settings, setting);
}

const char *value_text(const struct settings *settings, const struct setting *setting)
{
    char *text;
    memcpy(&text, const_member(settings, setting), sizeof text);
    return text != NULL ? text : "";
}

bool value_given(const struct settings *settings, const struct setting *setting)
{
    bool given = true;
    if (setting->given_offset != SIZE_MAX)
        memcpy(&given, (const char *)settings + setting->given_offset, sizeof given);
    return given;
}

void value_mark_given(struct settings *settings, const struct setting *setting)
{
    const bool given = true;
    if (setting->given_offset != SIZE_MAX)
        memcpy((char *)settings + setting->given_offset, &given, sizeof given);
}
