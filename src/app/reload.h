// Reads the settings again, puts in force what applies at once and says what waits for a restart; SIGHUP also reopens
// outputs whose files were moved away, and has certificates and tokens looked at that have changed. Whatever is wrong is said,
// and changes nothing. The thread of requests.
#pragma once

#include "config/config.h"

struct control;
struct outputs;
struct servers;

void reload_settings(struct control *control, const struct config_origin *origin);
void reload(struct control *control, struct outputs *outputs, struct servers *servers,
            const struct config_origin *origin);
