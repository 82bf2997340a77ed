// One run of the sensor, from settings to exit code: starts the floors in order, runs to the end, tells
// what there is to tell. Main thread.
#pragma once

#include "app/exit_code.h"
#include "config/config.h"

enum exit_code sensor_run(const struct settings *settings, const struct config_origin *origin);
