// Reads the settings again, puts in force what applies at once and says what waits for a restart; SIGHUP also reopens
// outputs whose files were moved away. Whatever is wrong is said, and changes nothing. The thread of requests.
#pragma once

#include "config/config.h"

struct control;
struct outputs;

void reload_settings(struct control *control, const struct config_origin *origin);
void reload(struct control *control, struct outputs *outputs, const struct config_origin *origin);
