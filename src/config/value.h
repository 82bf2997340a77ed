// One value of the settings: from text into its member of struct settings, and back. Text is checked
// for type and range. The settings own what is set; one thread.
#pragma once

#include "base/error.h"
#include "config/settings.h"
#include "config/table.h"

struct strbuf;

// Sets a value; of a list, appends one item. The error's sentence begins with "must be" or alike: the
// caller prefixes where and which key. On failure nothing changes.
bool value_set(struct settings *settings, const struct setting *setting, const char *text,
               struct error *error);
// Frees text or items, and leaves NULL or an empty list; of other types nothing.
void value_clear(struct settings *settings, const struct setting *setting);
bool value_set_default(struct settings *settings, const struct setting *setting, struct error *error);
// A list from items separated by commas; "" is the empty list.
bool value_append_items(struct settings *settings, const struct setting *setting, const char *items,
                        struct error *error);

// Makes the value of `to` that of `from`, as a copy, and whether it was given. On failure `to` is unchanged.
bool value_copy(struct settings *to, const struct settings *from, const struct setting *setting,
                struct error *error);
bool value_is_equal(const struct settings *left, const struct settings *right, const struct setting *setting);

// The value as text that value_set() reads; nothing for lists.
void value_add(struct strbuf *into, const struct settings *settings, const struct setting *setting);
const struct string_list *value_list(const struct settings *settings, const struct setting *setting);
const char *value_text(const struct settings *settings, const struct setting *setting); // never NULL
// Whether anyone set it; true for settings that keep no account of it.
bool value_given(const struct settings *settings, const struct setting *setting);
void value_mark_given(struct settings *settings, const struct setting *setting);

// The decimal digits at the start of `text`; *rest is what follows. False when there are none, or when
// uint64_t does not hold them: then *rest is the digit that was too much.
bool value_read_digits(const char *text, uint64_t *value, const char **rest);
