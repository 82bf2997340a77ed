#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/exit_code.h"
#include "app/memory_plan.h"
#include "app/requests.h"
#include "app/sensor.h"
#include "app/servers.h"
#include "app/synthetic_flows.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "base/version.h"
#include "capture/live/interfaces.h"
#include "config/config.h"
#include "control/check.h"

enum { MAIN_TEXT_BYTES = 16 << 20 };

extern char **environ;

static enum exit_code tell(const struct error *error, enum exit_stage stage)
{
    log_error("start", "%s", error->text);
    return exit_code_of(error->kind, stage);
}

static enum exit_code print_text(struct strbuf *text)
{
    struct error error;
    bool good = fwrite(text->text, 1, text->length, stdout) == text->length && fflush(stdout) == 0;
    if (!good)
        error_set(&error, ERROR_UNAVAILABLE, "cannot write standard output: %s", strerror(errno));
    strbuf_done(text);
    return good ? EXIT_DONE : tell(&error, STAGE_OUTPUT);
}

static enum exit_code print_settings(const struct settings *settings, bool yaml)
{
    struct error error;
    struct strbuf text;
    strbuf_init(&text, MAIN_TEXT_BYTES);
    bool good = yaml ? config_add_yaml(&text, settings, &error)
                     : control_check(settings, &error) && servers_check(settings, &error);
    if (good && !yaml)
        strbuf_add(&text, "the settings are valid\n");
    if (!good) {
        strbuf_done(&text);
        return tell(&error, STAGE_SETTINGS);
    }
    good = memory_plan_add(&text, settings, yaml ? "# " : "", &error);
    enum exit_code code = print_text(&text);
    return good ? code : tell(&error, STAGE_SETTINGS);
}

static enum exit_code list_interfaces(void)
{
    struct error error;
    struct strbuf text;
    strbuf_init(&text, MAIN_TEXT_BYTES);
    if (!interfaces_list(&text, &error)) {
        strbuf_done(&text);
        return tell(&error, STAGE_LIVE);
    }
    return print_text(&text);
}

// What is printed of the settings table alone.
static void (*const documents[])(struct strbuf *into) = {
    [CONFIG_HELP] = config_add_help,
    [CONFIG_PRINT_DOCS] = config_add_markdown,
    [CONFIG_PRINT_EXAMPLE] = config_add_example,
    [CONFIG_PRINT_MANUAL] = config_add_manual,
    [CONFIG_PRINT_COMPLETION] = config_add_completion,
    [CONFIG_PRINT_SCHEMA] = config_add_schema,
};

static enum exit_code run_command(const struct settings *settings, const struct config_invocation *what,
                                  const struct config_origin *origin)
{
    struct error error;
    struct strbuf text;
    switch (what->command) {
    case CONFIG_RUN:
        return sensor_run(settings, origin);
    case CONFIG_CHECK:
    case CONFIG_PRINT:
        return print_settings(settings, what->command == CONFIG_PRINT);
    case CONFIG_LIST_INTERFACES:
        return list_interfaces();
    case CONFIG_SYNTHETIC_FLOWS:
        if (synthetic_flows_run(settings, what->synthetic_flows, &error))
            return EXIT_DONE;
        return tell(&error, error.kind == ERROR_UNAVAILABLE ? STAGE_OUTPUT : STAGE_SETTINGS);
    case CONFIG_VERSION:
        strbuf_init(&text, MAIN_TEXT_BYTES);
        strbuf_add(&text, "netscope " NETSCOPE_VERSION "\n");
        return print_text(&text);
    default:
        strbuf_init(&text, MAIN_TEXT_BYTES);
        documents[what->command](&text);
        return print_text(&text);
    }
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct config_invocation what;
    struct error error;
    requests_block_signals();
    if (!config_load(argc, argv, environ, &settings, &what, &error))
        return (int)tell(&error, STAGE_SETTINGS);
    enum exit_code code = run_command(&settings, &what, &(struct config_origin){argc, argv, environ});
    settings_done(&settings);
    return (int)code;
}
