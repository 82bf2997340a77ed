#include "app/sensor.h"

#include "app/outputs.h"
#include "app/signals.h"
#include "base/log.h"
#include "capture/clock.h"
#include "control/control.h"

// Keeps the first code; says every sentence.
static void fail(enum exit_code *code, const struct error *failure)
{
    log_error("run", "%s", failure->text);
    if (*code == EXIT_DONE)
        *code = failure->code;
}

static enum exit_code run_to_end(struct control *control, struct outputs *outputs)
{
    enum exit_code code = EXIT_DONE;
    struct error failure, truncation, output_failure;
    int64_t begin_ns = clock_now_ns();
    signals_install(control);
    if (control_run(control, &failure) != EXIT_DONE)
        fail(&code, &failure);
    int64_t run_ns = clock_now_ns() - begin_ns;
    bool outputs_good = outputs_finish(outputs, &output_failure);
    signals_remove();
    if (!outputs_good)
        fail(&code, &output_failure);

    bool whole = control_verdict(control, &truncation) == EXIT_DONE;
    if (whole && signals_stopped() && !control_is_live(control)) {
        whole = error_set(&truncation, EXIT_DONE, "stopped by a signal: the rest of the input was not read");
        log_warning("run", "%s", truncation.text);
    }
    if (!outputs_tell(outputs, whole ? NULL : truncation.text, code == EXIT_OUTPUT ? failure.text : NULL,
                      run_ns, &failure))
        fail(&code, &failure);
    return code;
}

enum exit_code sensor_run(const struct settings *settings)
{
    struct error error;
    struct control *control = control_create(settings, &error);
    if (control == NULL) {
        log_error("start", "%s", error.text);
        return error.code;
    }
    enum exit_code code;
    struct outputs outputs;
    if (outputs_open(&outputs, settings, control, &error)) {
        code = run_to_end(control, &outputs);
    } else {
        log_error("start", "%s", error.text);
        code = error.code;
    }
    outputs_done(&outputs);
    control_destroy(control);
    return code;
}
