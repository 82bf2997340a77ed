#include "ctl/show.h"

#include "ctl/invocation.h"
#include "ctl/task.h"

struct showing {
    struct task task; // first
    const struct question *question;
    show_answers *show;
};

static bool prepare(struct task *task, struct build *build, const struct invocation *given,
                    struct error *error)
{
    (void)task;
    (void)build;
    (void)given;
    (void)error;
    return true; // the question is the request
}

static enum ctl_exit run(struct task *task, struct fleet *fleet, struct output *output)
{
    const struct showing *showing = (const struct showing *)task;
    struct answers answers;
    answers_get(&answers, fleet, showing->question);
    if (output_is_for_programs(output))
        output_add_answers(output, &answers, showing->question->response);
    else
        showing->show(output, fleet, &answers);
    enum ctl_exit code = answers.exit_code;
    answers_done(&answers);
    return code;
}

enum ctl_exit answers_show(const struct invocation *given, const struct question *question,
                           show_answers *show)
{
    struct showing showing = {.task = {.prepare = prepare, .run = run}, .question = question, .show = show};
    return task_run(&showing.task, given);
}
