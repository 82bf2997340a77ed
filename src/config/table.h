// The settings table: one row a setting, from which YAML keys, flags, environment names, help and
// documentation are derived. Constant; any thread. A new setting is one row here and one member in
// settings.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
    SETTING_BOOL,   // bool: true, false
    SETTING_NUMBER, // uint32_t
    SETTING_BIG,    // uint64_t
    SETTING_MB,     // uint32_t, MiB
    SETTING_SECS,   // uint32_t, seconds: 90, 90s, 5m, 2h
    SETTING_MS,     // uint32_t, milliseconds: 500, 500ms, 2s
    SETTING_STRING, // char *
    SETTING_PATH,   // char *
    SETTING_LIST,   // struct string_list
    SETTING_ENUM,   // int, or an enum of its size
};

// When a change of a setting takes effect while a run goes on (control/change.h).
enum setting_applies { SETTING_AT_START, SETTING_LIVE };

// What the path of a setting is for. All behind SETTING_INPUT are outputs: one of them at most is stdout, and
// none is the same file as another or as an input.
enum setting_file {
    SETTING_NO_FILE,
    SETTING_INPUT,   // read: never written over
    SETTING_SUMMARY, // written at the end
    SETTING_EXPORT,  // flows of the whole run
    SETTING_STREAM,  // records as they come; rotates by output.rotate_mb
    SETTING_PACKETS, // rotates by output.write_pcap_rotate_mb
};

struct setting {
    const char *key; // "section.name", "section.section.name"
    enum setting_type type;
    size_t offset;              // of the value in struct settings
    uint64_t minimum, maximum;  // of the numeric types
    const char *const *names;   // of an enum, NULL at the end; the index is the value
    const char *standard;       // the default as text; a list's items by commas
    const char *standard_words; // how help and docs say the default, where the text alone would not tell
    const char *flag;           // long spelling; NULL: setting_flag() makes it of the key
    char letter;                // short spelling or 0
    const char *argument;       // what help calls the value; NULL: by type
    const char *unit;           // of a number; NULL: by type
    size_t given_offset;        // of a bool that says whether anyone set it; SIZE_MAX: none
    bool secret;                // never printed
    enum setting_applies applies;
    enum setting_file file;
    const char *note; // set: an obsolete key that is read, hidden, and answered with this note
    const char *help; // a few words for --help
    const char *doc;  // sentences for the documentation
};

// Sections nest: "analysis.anomalies" stands in the table somewhere behind "analysis", before the next one beside it.
struct setting_section {
    const char *name;  // the key of its rows without the last part
    const char *title; // in help and docs
};

enum { SETTING_FLAG_BYTES = 64, SETTING_KEY_BYTES = 128 };

extern const struct setting setting_table[];
extern const unsigned setting_count;
enum { SETTING_MAXIMUM = 256 }; // at least setting_count; asserted

extern const struct setting_section setting_sections[];
extern const unsigned setting_section_count;

// Index of the row with this key, or -1.
int setting_find(const char *key);
// Whether some key lies below "path." .
bool setting_is_section(const char *path);
// The key or section most like `key`; NULL when none is near. An equal last part counts as near.
const char *setting_nearest(const char *key);
// Where a key of the seed went, or NULL.
const char *setting_renamed(const char *key);

// How deep a key or a section stands: "analysis" 0.
unsigned setting_depth(const char *key);
// Whether the row stands right in the section, and is shown.
bool setting_in_section(const struct setting *setting, const struct setting_section *section);
const char *setting_name(const struct setting *setting); // the key's last part
bool setting_is_text(const struct setting *setting);     // string or path
bool setting_is_output(const struct setting *setting);   // a path that is written to
// Long spelling without dashes: what stands behind the key's second dot, or the last part; and the environment name.
void setting_flag(const struct setting *setting, char into[SETTING_FLAG_BYTES]);
void setting_variable(const struct setting *setting, char into[SETTING_KEY_BYTES]);
