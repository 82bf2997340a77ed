#include "given.h"

Test(checks, input_is_live_or_a_file)
{
    refused(load(NULL, NULL, WORDS("-r", "a.pcap", "-i", "eth0")),
            "--interface and --read-pcap exclude each other");
    refused(load("capture: {interfaces: [a], read_pcap: [b]}\n", NULL, NULL), "exclude each other");
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
