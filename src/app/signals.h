// Signals that end a run: SIGINT and SIGTERM in order, another two seconds later ends the process at once; SIGPIPE
// and SIGXFSZ (a file beyond RLIMIT_FSIZE) are errors of a write. Those that ask something of it are the thread of requests'. Main thread; the handlers only
// set flags and stop the source.
#pragma once

#include <stdbool.h>

struct control;

// Before the first output is written.
void signals_ignore_failed_writes(void);
// Before anything is opened that has to be closed in order: until then a signal ends the process as it ends any other.
void signals_install(struct control *control);
// `control` is not touched any more. The process ends by itself now: a signal does not cut that short, but a late second one.
void signals_remove(void);
// Ends the run as SIGTERM does; any thread.
void signals_stop(void);
// Whether SIGINT or SIGTERM came.
bool signals_stopped(void);
// Whether that was so long ago that nothing is waited for any more: the run ends within five seconds.
bool signals_patience_is_over(void);
