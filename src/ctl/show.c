#include "ctl/show.h"

#include "ctl/complaint.h"
#include "ctl/invocation.h"

enum ctl_exit answers_show(const struct invocation *given, const struct question *question,
                           show_answers *show)
{
    struct fleet fleet;
    struct error error;
    struct output output;
    struct answers answers;
    if (!fleet_open(&fleet, given, &error))
        return complain_usage(&error);
    enum ctl_exit code = CTL_OUTPUT;
    if (output_open(&output, given, NULL)) {
        answers_get(&answers, &fleet, question);
        if (output_is_for_programs(&output))
            output_add_answers(&output, &answers, question->response);
        else
            show(&output, &fleet, &answers);
        code = output_close(&output, answers.exit_code);
        answers_done(&answers);
    }
    fleet_close(&fleet);
    return code;
}
