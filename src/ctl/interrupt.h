// Signals that end a command in order: SIGINT, SIGTERM, SIGHUP. A second one ends the process at once.
#pragma once

#include <stdbool.h>

void interrupt_install(void);
bool interrupted(void);
