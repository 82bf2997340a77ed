// netscopectl's own settings file: lines "name = value" of how sensors are reached, # before remarks. A value counts where
// neither an option nor a variable of the environment says something else: it becomes the variable.
#pragma once

#include "base/error.h"

// NULL: $XDG_CONFIG_HOME/netscope/netscopectl.conf, or that of ~/.config, if there is one. Before any thread is started.
// False with a sentence: a file that was named cannot be read, a line that is none.
bool settings_file_apply(const char *path, struct error *error);
