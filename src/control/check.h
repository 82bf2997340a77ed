// What a run would find wrong with its settings at the start, without a run: --check-config. Reads what
// the settings name (names.file, the heads of capture files), opens no interface and no output. Main thread.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "config/settings.h"

// False with the sentence that the run would end with. A filter is compiled for the link type of the files
// that are read, else for Ethernet; whether inputs are there is not checked.
bool control_check(const struct settings *settings, struct error *error);
// Of these only the filter; "" is fine.
bool control_check_filter(const struct capture_settings *capture, struct error *error);
// Of these only the allow list.
bool control_check_allow_list(const struct anomaly_settings *anomalies, struct error *error);
