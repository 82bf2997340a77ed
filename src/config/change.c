// What a change of settings needs: copies, and what differs between two.
#include <assert.h>

#include "config/config.h"
#include "config/table.h"
#include "config/value.h"

bool settings_copy(struct settings *to, const struct settings *from, struct error *error)
{
    assert(to != from); // which is lost before it is copied
    *to = (struct settings){.file = from->file};
    for (unsigned i = 0; i < setting_count; i++) {
        if (!value_copy(to, from, &setting_table[i], error)) {
            settings_done(to);
            return false;
        }
    }
    return true;
}

void settings_compare(const struct settings *left, const struct settings *right, struct settings_diff *out)
{
    _Static_assert((int)SETTINGS_ROWS >= (int)SETTING_MAXIMUM, "a diff holds every row");
    out->count = 0;
    for (unsigned i = 0; i < setting_count; i++) {
        const struct setting *setting = &setting_table[i];
        assert(out->count < SETTINGS_ROWS);
        if (setting->note == NULL && !value_is_equal(left, right, setting))
            out->rows[out->count++] = i;
    }
}
