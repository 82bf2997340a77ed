// The settings of a live capture as it keeps them: a copy of what it reads, so that a generation of settings may go
// while the capture runs.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "config/settings.h"

// NULL without memory, with a sentence. read_pcap is left out.
struct capture_settings *live_settings_copy(const struct capture_settings *settings, struct error *error);
void live_settings_free(struct capture_settings *settings); // takes NULL
