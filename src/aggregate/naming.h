// What the settings say of addresses: what names.file calls them, and which lie in networks.local. Frozen once
// loaded; whoever holds it frees it. Loading parses the file: for start and for threads that nothing waits for.
#pragma once

#include <stdbool.h>

#include "aggregate/name_file.h"
#include "base/file_version.h"
#include "config/settings.h"

struct naming {
    struct name_file *file;      // NULL = none
    struct file_version version; // of it, from before it was read: a change meanwhile is a new one
    struct prefix *local;
    unsigned local_count;
    bool local_begins[256]; // whether any of them holds addresses of either version that begin with this byte
    struct names_settings settings; // that it was loaded from: a copy, which the loader takes over
    struct naming *next;            // of those that name_loader is to free
};

bool names_settings_copy(struct names_settings *to, const struct names_settings *from, struct error *error);
void names_settings_done(struct names_settings *settings); // safe on zeros

// NULL with a sentence: a names.file that cannot be read, a networks.local that is no CIDR.
struct naming *naming_load(const struct names_settings *settings, struct error *error);
void naming_destroy(struct naming *naming); // takes NULL

// What names.file calls the address, or NULL. Borrowed from it.
const struct name_row *naming_get(const struct naming *naming, const struct address *address);
bool naming_is_local(const struct naming *naming, const struct address *address);
