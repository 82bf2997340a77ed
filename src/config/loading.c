#include "config/loading.h"

#include <assert.h>
#include <stdio.h>

#include "config/value.h"

bool loading_begin(struct loading *loading, struct settings *settings, struct error *error)
{
    *loading = (struct loading){.settings = settings};
    *settings = (struct settings){0};
    for (unsigned i = 0; i < setting_count; i++) {
        if (!value_set_default(settings, &setting_table[i], error))
            return error_prefix(error, "default of %s", setting_table[i].key);
    }
    return true;
}

static void begin(struct loading *loading, unsigned index, enum setting_level level, const char *origin)
{
    assert(index < setting_count);
    const struct setting *setting = &setting_table[index];
    if (level > loading->levels[index] && setting->type == SETTING_LIST)
        value_clear(loading->settings, setting);
    loading->levels[index] = level;
    snprintf(loading->origins[index], ORIGIN_BYTES, "%s", origin);
    value_mark_given(loading->settings, setting);
}

// The environment holds a list in one variable.
static bool put_text(struct loading *loading, unsigned index, enum setting_level level, const char *text,
                     struct error *error)
{
    const struct setting *setting = &setting_table[index];
    if (level == LEVEL_ENVIRONMENT && setting->type == SETTING_LIST)
        return value_append_items(loading->settings, setting, text, error);
    return value_set(loading->settings, setting, text, error);
}

bool loading_put(struct loading *loading, unsigned index, enum setting_level level, const char *origin,
                 const char *text, struct error *error)
{
    begin(loading, index, level, origin);
    if (put_text(loading, index, level, text, error))
        return true;
    return error_prefix(error, "%s: %s", origin, setting_table[index].key);
}

void loading_put_empty(struct loading *loading, unsigned index, enum setting_level level, const char *origin)
{
    begin(loading, index, level, origin);
}

void loading_drop(struct loading *loading, unsigned index)
{
    value_clear(loading->settings, &setting_table[index]);
}
