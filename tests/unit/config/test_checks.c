#include "given.h"

Test(checks, input_is_live_or_a_file)
{
    refused(load(NULL, NULL, WORDS("-r", "a.pcap", "-i", "eth0")),
            "capture.interfaces (--interface) and capture.read_pcap (--read-pcap) exclude each other");
    refused(load("capture: {interfaces: [a], read_pcap: [b]}\n", NULL, NULL), ":1) and capture.read_pcap (");
}

Test(checks, the_higher_level_chooses_the_input)
{
    struct outcome outcome = accepted(load("capture: {interfaces: [eth0]}\n", NULL, WORDS("-r", "a.pcap")));
    cr_expect_eq(outcome.settings.capture.interfaces.count, 0);
    cr_expect_eq(outcome.settings.capture.read_pcap.count, 1);
    outcome_done(&outcome);
    outcome = accepted(load("capture: {read_pcap: [a.pcap]}\n", NULL, WORDS("-i", "eth0")));
    cr_expect_eq(outcome.settings.capture.interfaces.count, 1);
    cr_expect_eq(outcome.settings.capture.read_pcap.count, 0);
    outcome_done(&outcome);
}

Test(checks, rotation_needs_both)
{
    refused(load(NULL, NULL, WORDS("-w", "a", "--write-pcap-rotate-mb", "5")),
            "output.write_pcap_rotate_mb is set without output.write_pcap_max_files");
    refused(load(NULL, NULL, WORDS("-w", "a", "--write-pcap-max-files", "5")),
            "output.write_pcap_max_files is set without output.write_pcap_rotate_mb");
    refused(load(NULL, NULL, WORDS("-w", "-", "--write-pcap-max-files", "5", "--write-pcap-rotate-mb", "1")),
            "stdout cannot rotate");
    struct outcome outcome = accepted(
        load(NULL, NULL, WORDS("-w", "a", "--write-pcap-max-files", "5", "--write-pcap-rotate-mb", "1")));
    outcome_done(&outcome);
}

Test(checks, outputs_keep_out_of_a_series)
{
    refused(load(NULL, NULL,
                 WORDS("-w", "w.pcap", "--write-pcap-max-files", "5", "--write-pcap-rotate-mb", "1",
                       "--export-json", "w.000001.pcap")),
            "a name that the rotation of output.write_pcap (w.pcap) comes to");
    struct outcome outcome =
        accepted(load(NULL, NULL, WORDS("-w", "w.pcap", "--export-json", "w.000001.pcap")));
    outcome_done(&outcome);
}

Test(checks, outputs_do_not_share_a_path)
{
    refused(load(NULL, NULL, WORDS("-w", "-", "--export-json", "-")), "both go to stdout");
    refused(load(NULL, NULL, WORDS("--export-csv", "x", "--expired-flows-csv", "x")), "both go to x");
    struct outcome outcome = accepted(load(NULL, NULL, WORDS("-w", "-", "--export-json", "x")));
    outcome_done(&outcome);
}

Test(checks, an_output_never_overwrites_an_input)
{
    char path[64], alias[80];
    write_file(path, "x");
    snprintf(alias, sizeof alias, "/tmp/../%s", path);
    refused(load(NULL, NULL, WORDS("-r", path, "-w", alias)), "would overwrite the input");
    unlink(path);
}

// In a directory of its own, whose files are named by the tests.
static void enter(char directory[64])
{
    strcpy(directory, "/tmp/netscope-checks-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
}

static void leave(const char *directory)
{
    char command[128];
    cr_assert_eq(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -r %s", directory);
    cr_assert_eq(system(command), 0);
}

static void make(const char *path)
{
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    cr_assert(file >= 0);
    close(file);
}

Test(checks, every_file_that_is_read_is_kept)
{
    char directory[64];
    enter(directory);
    make("n.csv");
    make("c.yaml");
    refused(load(NULL, NULL, WORDS("--names-file", "n.csv", "--export-json", "./n.csv")),
            "output.export_json would overwrite the input n.csv");
    refused(load(NULL, NULL, WORDS("--config", "c.yaml", "--summary-json", "c.yaml")),
            "output.summary_json would overwrite the input c.yaml");
    struct outcome outcome =
        accepted(load(NULL, NULL,
                      WORDS("--config", "c.yaml", "-w", "c.pcap", "--write-pcap-rotate-mb", "1",
                            "--write-pcap-max-files", "2")));
    outcome_done(&outcome);
    leave(directory);
}

Test(checks, a_numbered_input_is_not_rotated_over)
{
    char directory[64];
    enter(directory);
    make("c.000001.pcap");
    make("c.2026.pcap");
    refused(load(NULL, NULL,
                 WORDS("-r", "c.000001.pcap", "-w", "c.pcap", "--write-pcap-rotate-mb", "1",
                       "--write-pcap-max-files", "2")),
            "would rotate over the input c.000001.pcap");
    struct outcome outcome =
        accepted(load(NULL, NULL,
                      WORDS("-r", "c.2026.pcap", "-w", "c.pcap", "--write-pcap-rotate-mb", "1",
                            "--write-pcap-max-files", "2")));
    outcome_done(&outcome);
    leave(directory);
}

Test(checks, standard_input_is_compared_too)
{
    char directory[64];
    enter(directory);
    make("b.pcap");
    int input = open("b.pcap", O_RDONLY), before = dup(STDIN_FILENO);
    dup2(input, STDIN_FILENO);
    refused(load(NULL, NULL, WORDS("-r", "-", "-w", "b.pcap")),
            "output.write_pcap would overwrite the input standard input");
    refused(load(NULL, NULL, WORDS("-r", "-", "--config", "-")), "standard input cannot be both");
    dup2(before, STDIN_FILENO);
    close(input);
    close(before);
    leave(directory);
}

Test(checks, settings_come_from_standard_input)
{
    char path[64];
    write_file(path, "run: {count: 7}\n");
    int input = open(path, O_RDONLY), before = dup(STDIN_FILENO);
    dup2(input, STDIN_FILENO);
    struct outcome outcome = accepted(load(NULL, NULL, WORDS("-r", "a.pcap", "--config", "-")));
    dup2(before, STDIN_FILENO);
    cr_expect_eq(outcome.settings.run.count, 7);
    outcome_done(&outcome);
    close(input);
    close(before);
    unlink(path);
}

Test(checks, outputs_are_compared_by_where_they_lead)
{
    char directory[64];
    enter(directory);
    cr_assert_eq(symlink("a.json", "link"), 0);
    refused(load(NULL, NULL, WORDS("--export-json", "a.json", "--export-csv", "link")), "both go to");
    struct outcome outcome =
        accepted(load(NULL, NULL, WORDS("--export-json", "/dev/null", "--export-csv", "/dev/null")));
    outcome_done(&outcome);
    make("out");
    int out = open("out", O_WRONLY), before = dup(STDOUT_FILENO);
    dup2(out, STDOUT_FILENO);
    outcome = load(NULL, NULL, WORDS("--export-json", "/dev/stdout"));
    struct outcome mixed = load(NULL, NULL, WORDS("--export-json", "/dev/stdout", "--export-csv", "-"));
    dup2(before, STDOUT_FILENO);
    accepted(outcome);
    cr_expect_str_eq(outcome.settings.output.export_json, "-");
    cr_expect(settings_use_stdout(&outcome.settings));
    outcome_done(&outcome);
    refused(mixed, "both go to stdout");
    close(out);
    close(before);
    leave(directory);
}

Test(checks, settings_say_what_is_done)
{
    refused(load(NULL, NULL, WORDS("--top-flows", "101")), "between 0 and 100");
    refused(load(NULL, NULL, WORDS("--workers", "17")), "between 0 and 16");
}

Test(checks, what_was_given_in_vain_is_told)
{
    char text[4096];
    logged(text, sizeof text, NULL, WORDS("-w", "x", "-w", "y", "-r", "a", "-r", "b", "-vv"));
    cr_expect_not_null(strstr(text, "several flags set output.write_pcap; the last counts: y\n"));
    cr_expect_null(strstr(text, "read_pcap"), "a list takes them all: %s", text);
    logged(text, sizeof text, NULL, WORDS("--write-pcap-rotate-mb", "1", "--write-pcap-max-files", "2"));
    cr_expect_not_null(strstr(text, "output.write_pcap_rotate_mb has no effect"));
    logged(text, sizeof text, NULL, WORDS("--stats", "--no-stats", "-q"));
    cr_expect_str_eq(text, "");
}

Test(checks, servers_beyond_loopback_ask_for_tls_and_callers)
{
    static const struct {
        const char *words[6], *says;
    } cases[] = {
        {{"--grpc"}, NULL},
        {{"--grpc", "--grpc-bind=::1"}, NULL},
        {{"--grpc", "--grpc-bind=127.8.9.1"}, NULL},
        {{"--grpc-bind=0.0.0.0"}, NULL}, // it is not on
        {{"--grpc", "--grpc-bind=0.0.0.0"}, "is reached from other machines"},
        {{"--grpc", "--grpc-bind=::"}, "is reached from other machines"},
        {{"--grpc", "--grpc-bind=10.1.2.3", "--grpc-insecure"}, NULL},
        {{"--grpc", "--grpc-bind=::", "--grpc-tls", "--grpc-tls-cert=c", "--grpc-tls-key=k"},
         "grpc.auth.tokens_file or grpc.tls.client_ca_path"},
        {{"--grpc", "--grpc-bind=::", "--grpc-tls", "--grpc-tls-cert=c", "--grpc-tls-key=k",
          "--grpc-tokens-file=t"},
         NULL},
        {{"--grpc", "--grpc-bind=::", "--grpc-tokens-file=t"}, "set grpc.tls.enabled"},
        {{"--grpc", "--grpc-bind=localhost"}, "is no address"},
        {{"--grpc", "--grpc-bind="}, "nowhere to listen"},
        {{"--grpc", "--grpc-bind=", "--grpc-socket=/run/x"}, NULL},
        {{"--grpc", "--grpc-tls"}, "needs grpc.tls.cert_path"},
        {{"--grpc", "--grpc-tls-client-ca=ca"}, "grpc.tls.enabled is off"},
        {{"--web", "--metrics", "--grpc"}, NULL},
        {{"--web", "--web-bind=::"}, "set web.tls.enabled, and web.auth.enabled, web.auth.tokens_file"},
        {{"--web", "--web-bind=::", "--web-insecure"}, NULL},
        {{"--metrics", "--metrics-bind=0.0.0.0"}, NULL}, // nothing to hide
        {{"--metrics", "--metrics-tls", "--metrics-tls-cert=c"}, "belong together"},
        {{"--web", "--web-auth"}, "needs web.auth.username"},
        {{"--web", "--web-auth", "--web-auth-user=a:b", "--web-auth-pass-file=p"}, "without a colon"},
        {{"--web", "--web-auth", "--web-auth-user=ann"}, "needs one of web.auth.password_file"},
        {{"--web", "--web-auth", "--web-auth-user=ann", "--web-auth-pass=p", "--web-auth-pass-file=p"},
         "not both"},
        {{"--web", "--web-auth", "--web-auth-user=ann", "--web-auth-pass-file=p"}, NULL},
        {{"--web", "--web-port=80", "--metrics", "--metrics-port=80"},
         "web.port and metrics.port are the same"},
        {{"--web", "--web-port=0", "--metrics", "--metrics-port=0"}, NULL},
        {{"--web", "--web-port=80", "--metrics-port=80"}, NULL},
        {{"--web", "--web-port=80", "--metrics", "--metrics-port=80", "--metrics-bind=127.0.0.2"}, NULL},
        {{"--grpc", "--grpc-port=80", "--metrics", "--metrics-port=80", "--metrics-bind=::"},
         "grpc.port and metrics.port"},
        {{"--grpc", "--grpc-socket=/s", "--web", "--web-socket=/s"}, "grpc.socket and web.socket"},
        {{"--web-base-path=/netscope/x"}, NULL},
        {{"--web-base-path=netscope"}, "must be a path"},
        {{"--web-base-path=/"}, "must be a path"},
        {{"--web-base-path=/a/../b"}, "must be a path"},
        {{"--web-base-path=/a b"}, "must be a path"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const *words = cases[i].words;
        struct outcome outcome =
            load(NULL, NULL, WORDS(words[0], words[1], words[2], words[3], words[4], words[5]));
        cr_expect_eq(outcome.loaded, cases[i].says == NULL, "%zu: %s", i, outcome.error.text);
        if (cases[i].says != NULL)
            cr_expect(strstr(outcome.error.text, cases[i].says) != NULL, "%zu: %s", i, outcome.error.text);
        outcome_done(&outcome);
    }
}
