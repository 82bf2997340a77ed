#include "ctl/task.h"

#include "api/build.h"
#include "ctl/complaint.h"
#include "ctl/invocation.h"

static enum ctl_exit run_connected(struct task *task, const struct invocation *given, struct fleet *fleet)
{
    struct output output;
    if (!output_open(&output, given, task->row))
        return CTL_OUTPUT;
    return output_close(&output, task->run(task, fleet, &output));
}

enum ctl_exit task_run(struct task *task, const struct invocation *given)
{
    struct build build;
    struct fleet fleet;
    struct error error;
    enum ctl_exit code;
    build_init(&build);
    if (!task->prepare(task, &build, given, &error) || !fleet_open(&fleet, given, &error)) {
        code = complain_usage(&error);
    } else {
        code = run_connected(task, given, &fleet);
        fleet_close(&fleet);
    }
    build_done(&build);
    return code;
}
