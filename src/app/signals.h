// Signals of a run: SIGINT and SIGTERM end it in order (another two seconds later ends the process at once), SIGHUP
// reopens the outputs, SIGPIPE is an error of a write. Main thread; the handlers only set flags and stop
// the source.
#pragma once

#include <stdbool.h>

struct control;

// Before the first output is written.
void signals_ignore_pipe(void);
void signals_install(struct control *control);
// Back to how the process found them; `control` is not touched any more.
void signals_remove(void);
// Whether SIGINT or SIGTERM came.
bool signals_stopped(void);
// Whether that was so long ago that nothing is waited for any more: the run ends within five seconds.
bool signals_patience_is_over(void);
// Whether SIGHUP came since the last call.
bool signals_take_hangup(void);
