// What this process may do beyond other users. Capabilities belong to threads: each starts with those of its maker.
// After the start the one that is left is CAP_NET_RAW, in the thread that opens interfaces, permitted but not in
// effect but while one is opened. Any thread, for itself.
#pragma once

#include <stdbool.h>

// Gives all up, for good; with capabilities_keep_files() all but CAP_DAC_OVERRIDE, in effect.
void capabilities_drop(void);
// Gives up all but CAP_NET_RAW, and that is not in effect.
void capabilities_keep_raw(void);

// Before any other thread starts: root uses files of other users, and goes on to. Without, it could not open them later.
void capabilities_keep_files(void);
// Suspends all that are in effect, and puts all that are permitted into effect: to find out what is possible without.
void capabilities_suspend(void);
void capabilities_resume(void);

// What a sentence about a file adds to this errno where the right to other users' files may be what is missing: in
// parentheses behind a space, with the cure; else "".
const char *capabilities_denial(int reason);

// Puts CAP_NET_RAW into effect: true when that changed something, and capabilities_lower() is due.
bool capabilities_raise(void);
void capabilities_lower(void);
