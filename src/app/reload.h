// SIGHUP: reads the settings again, puts in force what applies at once, says what waits for a restart, and reopens
// outputs whose files were moved away. Whatever is wrong is said, and changes nothing. The thread of requests.
#pragma once

#include "config/config.h"

struct control;
struct outputs;

void reload(struct control *control, struct outputs *outputs, const struct config_origin *origin);
