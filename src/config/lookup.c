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
    {"analysis.anomalies.alerts_jsonl", "output.alerts_jsonl"},
    {"analysis.anomalies.alerts_webhook", "output.alerts_webhook"},
    {"analysis.anomaly", "analysis.anomalies"},
    {"analysis.anomaly_detection", "analysis.anomalies.enabled"},
    {"analysis.syn_flood", "analysis.anomalies.syn_flood"},
    {"analysis.port_scan", "analysis.anomalies.port_scan"},
    {"analysis.anomalies.syn_threshold", "analysis.anomalies.syn_flood.syn_threshold"},
    {"analysis.anomalies.unique_src_threshold", "analysis.anomalies.syn_flood.unique_src_threshold"},
    {"analysis.anomalies.unique_ports_threshold", "analysis.anomalies.port_scan.unique_ports_threshold"},
    {"analysis.anomalies.unique_hosts_threshold", "analysis.anomalies.host_sweep.unique_hosts_threshold"},
    {"analysis.anomalies.port_scan.unique_hosts_threshold",
     "analysis.anomalies.host_sweep.unique_hosts_threshold"},
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

// What is most like a key so far: misplaced keys first, of these and of the others the one with the least edits.
struct nearest {
    const char *key;
    bool misplaced;
    unsigned distance;
};

static void consider(struct nearest *nearest, const char *wanted, const char *key)
{
    bool misplaced = strcmp(last_part(wanted), last_part(key)) == 0;
    unsigned distance = edit_distance(wanted, key);
    if (misplaced < nearest->misplaced || (misplaced == nearest->misplaced && distance >= nearest->distance))
        return;
    *nearest = (struct nearest){key, misplaced, distance};
}

const char *setting_nearest(const char *key)
{
    struct nearest nearest = {.distance = UINT_MAX};
    for (unsigned i = 0; i < setting_count; i++)
        if (setting_table[i].note == NULL)
            consider(&nearest, key, setting_table[i].key);
    for (unsigned i = 0; i < setting_section_count; i++)
        consider(&nearest, key, setting_sections[i].name);
    return nearest.misplaced || edits_are_near(key, nearest.distance) ? nearest.key : NULL;
}

unsigned setting_depth(const char *key)
{
    unsigned depth = 0;
    for (const char *dot = strchr(key, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
        depth++;
    return depth;
}

bool setting_in_section(const struct setting *setting, const struct setting_section *section)
{
    size_t length = strlen(section->name);
    return setting->note == NULL && strncmp(setting->key, section->name, length) == 0 &&
           setting->key[length] == '.' && strchr(setting->key + length + 1, '.') == NULL;
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

// Sections of the third level have rows of equal names: their flags begin with the section's.
static const char *flag_words(const struct setting *setting)
{
    const char *words = strchr(setting->key, '.');
    words = words != NULL ? strchr(words + 1, '.') : NULL;
    return words != NULL ? words + 1 : setting_name(setting);
}

void setting_flag(const struct setting *setting, char into[SETTING_FLAG_BYTES])
{
    snprintf(into, SETTING_FLAG_BYTES, "%s", setting->flag != NULL ? setting->flag : flag_words(setting));
    for (char *at = into; *at != '\0'; at++) {
        if (*at == '_' || *at == '.')
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
