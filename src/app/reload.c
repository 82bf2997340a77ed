#include "app/reload.h"

#include "app/outputs.h"
#include "app/servers.h"
#include "base/log.h"
#include "config/table.h"
#include "control/change.h"

static void tell(const struct change_verdicts *verdicts)
{
    for (unsigned i = 0; i < verdicts->count; i++) {
        const struct change_verdict *verdict = &verdicts->verdict[i];
        const char *key = setting_table[verdict->row].key;
        if (verdict->outcome == CHANGE_AT_NEXT_START)
            log_warning("config", "%s has changed: it takes effect at the next start", key);
        else
            log_info("config", "%s has changed", key);
    }
}

static bool read_and_apply(struct control *control, const struct config_origin *origin, struct error *error)
{
    struct settings wanted;
    struct change_verdicts verdicts;
    if (!config_reload(origin, &wanted, error)) {
        control_reload_failed(control);
        return false;
    }
    struct change change = {.wanted = &wanted, .origin = CHANGE_BY_FILE};
    bool good = control_apply(control, &change, &verdicts, error);
    if (good && verdicts.count == 0)
        log_info("config", "the settings file says nothing new");
    else if (good)
        tell(&verdicts);
    settings_done(&wanted);
    return good;
}

void reload_settings(struct control *control, const struct config_origin *origin)
{
    struct error error;
    if (!read_and_apply(control, origin, &error))
        log_error("config", "the settings stay as they are: %s", error.text);
}

void reload(struct control *control, struct outputs *outputs, struct servers *servers,
            const struct config_origin *origin)
{
    reload_settings(control, origin);
    file_outputs_reopen(&outputs->files);
    servers_look_at_files(servers);
}
