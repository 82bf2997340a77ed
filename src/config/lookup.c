#include "config/table.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "config/nearest.h"

static const struct {
    const char *from, *to;
} renamed_keys[] = {
    {"capture.interface", "capture.interfaces"},
    {"analysis.alerts_jsonl", "output.alerts_jsonl"},
};

int setting_find(const char *key)
{
    for (unsigned i = 0; i < setting_count; i++) {
        if (strcmp(setting_table[i].key, key) == 0)
            return (int)i;
    }
    return -1;
}

bool setting_is_section(const char *path)
{
    size_t length = strlen(path);
    for (unsigned i = 0; i < setting_count; i++) {
        const char *key = setting_table[i].key;
        if (strncmp(key, path, length) == 0 && key[length] == '.')
            return true;
    }
    return false;
}

const char *setting_renamed(const char *key)
{
    for (size_t i = 0; i < sizeof renamed_keys / sizeof renamed_keys[0]; i++) {
        if (strcmp(renamed_keys[i].from, key) == 0)
            return renamed_keys[i].to;
    }
    return NULL;
}

static const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot != NULL ? dot + 1 : key;
}

static unsigned key_distance(const char *wanted, const char *key)
{
    bool misplaced = strcmp(last_part(wanted), last_part(key)) == 0;
    return misplaced ? 1 : edit_distance(wanted, key);
}

const char *setting_nearest(const char *key)
{
    const char *nearest = NULL;
    unsigned least = UINT_MAX;
    for (unsigned i = 0; i < setting_count; i++) {
        unsigned distance = key_distance(key, setting_table[i].key);
        if (setting_table[i].note == NULL && distance < least) {
            least = distance;
            nearest = setting_table[i].key;
        }
    }
    for (unsigned i = 0; i < setting_section_count; i++) {
        unsigned distance = edit_distance(key, setting_sections[i].name);
        if (distance < least) {
            least = distance;
            nearest = setting_sections[i].name;
        }
    }
    return edits_are_near(key, least) ? nearest : NULL;
}

bool setting_in_section(const struct setting *setting, const struct setting_section *section)
{
    size_t length = strlen(section->name);
    return setting->note == NULL && strncmp(setting->key, section->name, length) == 0 &&
           setting->key[length] == '.';
}

const char *setting_name(const struct setting *setting)
{
    return last_part(setting->key);
}

bool setting_is_text(const struct setting *setting)
{
    return setting->type == SETTING_STRING || setting->type == SETTING_PATH;
}

bool setting_is_output(const struct setting *setting)
{
    return setting->file > SETTING_INPUT;
}

void setting_flag(const struct setting *setting, char into[SETTING_FLAG_BYTES])
{
    snprintf(into, SETTING_FLAG_BYTES, "%s", setting->flag != NULL ? setting->flag : setting_name(setting));
    for (char *at = into; *at != '\0'; at++) {
        if (*at == '_')
            *at = '-';
    }
}

void setting_variable(const struct setting *setting, char into[SETTING_KEY_BYTES])
{
    snprintf(into, SETTING_KEY_BYTES, "NETSCOPE_%s", setting->key);
    for (char *at = into; *at != '\0'; at++) {
        if (*at == '.')
            *at = '_';
        else if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    }
}
