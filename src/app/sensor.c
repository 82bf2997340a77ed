#include "app/sensor.h"

#include "app/alert_lines.h"
#include "app/memory_plan.h"
#include "app/outputs.h"
#include "app/privileges.h"
#include "app/requests.h"
#include "app/servers.h"
#include "app/signals.h"
#include "base/capabilities.h"
#include "base/log.h"
#include "capture/clock.h"
#include "control/control.h"

// Keeps the first code; says every sentence.
static void fail(enum exit_code *code, const struct error *failure, enum exit_stage stage)
{
    log_error("run", "%s", failure->text);
    if (*code == EXIT_DONE)
        *code = exit_code_of(failure->kind, stage);
}

static enum exit_stage input_stage(const struct control *control)
{
    return control_is_live(control) ? STAGE_LIVE : STAGE_FILES;
}

static void finish_outputs(struct control *control, struct outputs *outputs, enum exit_code *code,
                           struct run_end *end)
{
    if (!control_finish(control, &end->failures[0]))
        end->failure_count++;
    end->failure_count += outputs_finish(outputs, &end->failures[end->failure_count]);
    for (unsigned i = 0; i < end->failure_count; i++)
        fail(code, &end->failures[i], STAGE_OUTPUT);
}

static void tell_input(const struct control *control, enum exit_code *code, struct error *truncation,
                       struct run_end *end)
{
    if (control_verdict(control, truncation) != ERROR_NONE) {
        fail(code, truncation, input_stage(control));
        end->truncated = truncation->text;
    } else if (signals_stopped() && control_was_cut(control)) {
        error_set(truncation, ERROR_CANCELLED, "stopped by a signal: the rest of the input was not read");
        log_warning("run", "%s", truncation->text);
        end->truncated = truncation->text;
    }
}

static enum exit_code run_to_end(struct control *control, struct outputs *outputs, struct servers *servers,
                                 const struct config_origin *origin)
{
    enum exit_code code = EXIT_DONE;
    struct error failure, truncation;
    struct run_end end = {0};
    int64_t begin_ns = clock_now_ns();
    struct requests requests;
    requests_start(&requests, control, outputs, servers, origin);
    if (!control_run(control, &failure))
        fail(&code, &failure, input_stage(control));
    requests_stop(&requests);
    servers_announce_end(servers);
    tell_input(control, &code, &truncation, &end);
    end.run_ns = clock_now_ns() - begin_ns;
    finish_outputs(control, outputs, &code, &end);
    servers_stop(servers);
    if (!outputs_tell(outputs, &end, &failure))
        fail(&code, &failure, STAGE_OUTPUT);
    bool fails = outputs->settings->output.fail_on_alert && alert_lines_raised(outputs->alerts) > 0;
    return code == EXIT_DONE && fails ? EXIT_ALERTS : code;
}

static enum exit_code refuse(const struct error *error, enum exit_stage stage)
{
    log_error("start", "%s", error->text);
    return exit_code_of(error->kind, stage);
}

// Rights are given up as soon as all is open, and before any thread of a server is there.
static enum exit_code start(const struct settings *settings, struct control *control, struct outputs *outputs,
                            const struct config_origin *origin)
{
    struct error error;
    if (!outputs_open(outputs, settings, control, &error))
        return refuse(&error, STAGE_OUTPUT);
    struct servers *servers = servers_open(settings, control, &error);
    capabilities_drop();
    if (servers != NULL && servers_start(servers, &error))
        return run_to_end(control, outputs, servers, origin);
    servers_stop(servers);
    return refuse(&error, STAGE_LISTEN);
}

enum exit_code sensor_run(const struct settings *settings, const struct config_origin *origin)
{
    struct error error;
    if (!memory_plan_check(settings, &error)) {
        return refuse(&error, STAGE_SETTINGS);
    }
    signals_ignore_failed_writes();
    privileges_begin(settings);
    struct control *control = control_create(settings, &error);
    if (control == NULL) {
        return refuse(&error, settings->capture.read_pcap.count == 0 ? STAGE_LIVE : STAGE_FILES);
    }
    signals_install(control);
    struct outputs outputs;
    enum exit_code code = start(settings, control, &outputs, origin);
    outputs_done(&outputs);
    signals_remove();
    control_destroy(control);
    return code;
}
