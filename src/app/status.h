// SIGUSR1, as tcpdump's: says how the run stands and which of the flows that are alive have the most bytes. Asks the run,
// which goes on meanwhile. The thread of requests.
#pragma once

struct control;
struct terminal;

void status_tell(struct control *control, struct terminal *terminal);
