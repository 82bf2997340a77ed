// What most commands are: a request made of the command line, the sensors it goes to, an output for what they say. Puts
// them together, in the order in which mistakes are best told, and takes them away again. One thread.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "ctl/command.h"
#include "ctl/fleet.h"
#include "ctl/output.h"

struct build;
struct invocation;
struct ProtobufCMessageDescriptor;

// The first member of a command's own struct.
struct task {
    const struct ProtobufCMessageDescriptor *row; // what the output's rows are; NULL = it has none
    // Makes the request, whose parts live until the task is over. False with a sentence: the command line is wrong.
    bool (*prepare)(struct task *task, struct build *build, const struct invocation *given,
                    struct error *error);
    enum ctl_exit (*run)(struct task *task, struct fleet *fleet, struct output *output);
};

enum ctl_exit task_run(struct task *task, const struct invocation *given);
