// A command that is one question: asks it and shows the answers. One thread.
#pragma once

#include "ctl/ask.h"
#include "ctl/command.h"
#include "ctl/output.h"

struct invocation;

// What people see of the answers; programs get the messages.
typedef void show_answers(struct output *output, const struct fleet *fleet, const struct answers *answers);

enum ctl_exit answers_show(const struct invocation *given, const struct question *question,
                           show_answers *show);
