#include "given.h"

Test(environment, sets_and_replaces)
{
    struct outcome outcome =
        accepted(load("capture: {snaplen: 100, interfaces: [a, b, c]}\n",
                      WORDS("NETSCOPE_CAPTURE_SNAPLEN=200", "NETSCOPE_CAPTURE_INTERFACES=x,y",
                            "NETSCOPE_CAPTURE_FILTER=a=b", "PATH=/bin"),
                      NULL));
    cr_expect_eq(outcome.settings.capture.snaplen, 200);
    cr_expect_eq(outcome.settings.capture.interfaces.count, 2);
    cr_expect_str_eq(outcome.settings.capture.interfaces.items[1], "y");
    cr_expect_str_eq(outcome.settings.capture.filter, "a=b");
    outcome_done(&outcome);
}

Test(environment, an_empty_list_is_a_list)
{
    struct outcome outcome =
        accepted(load("capture: {interfaces: [a]}\n", WORDS("NETSCOPE_CAPTURE_INTERFACES="), NULL));
    cr_expect_eq(outcome.settings.capture.interfaces.count, 0);
    outcome_done(&outcome);
}

Test(environment, names_the_variable_of_a_wrong_value)
{
    refused(load(NULL, WORDS("NETSCOPE_CAPTURE_SNAPLEN=x"), NULL),
            "NETSCOPE_CAPTURE_SNAPLEN: capture.snaplen: must");
}

Test(environment, warns_of_unknown_names)
{
    char text[4096];
    logged(text, sizeof text, WORDS("NETSCOPE_CAPTUR_SNAPLEN=5", "HOME=/"), NULL);
    cr_expect(strstr(text,
                     "warning: the variable NETSCOPE_CAPTUR_SNAPLEN sets nothing; the nearest that does is "
                     "NETSCOPE_CAPTURE_SNAPLEN") != NULL,
              "%s", text);
    cr_expect_null(strstr(text, "HOME"));
    logged(text, sizeof text, WORDS("NETSCOPE_TOKEN=x", "NETSCOPE_TLS_CA=x", "NETSCOPE_SERVER=x"), NULL);
    cr_expect_null(strstr(text, "sets nothing"), "they are netscopectl's: %s", text);
    logged(text, sizeof text, WORDS("NETSCOPE_BOGUS=5"), NULL);
    cr_expect(strstr(text, "warning: the variable NETSCOPE_BOGUS sets nothing\n") != NULL, "%s", text);
}

Test(environment, passes_over_links_of_kubernetes_services)
{
    char text[4096];
    logged(text, sizeof text,
           WORDS("NETSCOPE_SERVICE_HOST=10.0.0.1", "NETSCOPE_SERVICE_PORT=80",
                 "NETSCOPE_SERVICE_PORT_GRPC=9871", "NETSCOPE_WEB_PORT=tcp://10.0.0.1:80",
                 "NETSCOPE_PORT_80_TCP_ADDR=10.0.0.1", "NETSCOPE_PORT_80_UDP=udp://10.0.0.1:80",
                 "NETSCOPE_PORT_9_SCTP_PROTO=sctp", "NETSCOPE_CAPTURE_FILTER=sctp://10.0.0.1:5"),
           NULL);
    cr_expect_str_eq(text, "");
}

Test(environment, a_name_like_a_link_still_warns)
{
    char text[4096];
    logged(text, sizeof text, WORDS("NETSCOPE_PORT_X_TCP=5", "NETSCOPE_PORT_80=5"), NULL);
    cr_expect(strstr(text, "NETSCOPE_PORT_X_TCP") != NULL, "%s", text);
    cr_expect(strstr(text, "NETSCOPE_PORT_80 ") != NULL, "%s", text);
}

Test(environment, obsolete_settings_are_noted_at_info)
{
    char text[4096];
    logged(text, sizeof text, NULL, WORDS("--pipeline", "--channel-capacity", "100"));
    cr_expect_str_eq(text, "");
    logged(text, sizeof text, NULL, WORDS("--no-pipeline", "-v"));
    cr_expect(strstr(text, "info: --no-pipeline: pipeline.enabled has no effect") != NULL, "%s", text);
}
