#include "given.h"

static struct outcome flags(const char *const *words)
{
    return load(NULL, NULL, words);
}

Test(flags, long_and_short_spellings)
{
    struct outcome outcome = accepted(flags(WORDS("-i", "eth0", "--interface=eth1", "-s", "99", "-c5", "-f",
                                                  "udp", "--flow-timeout-s", "5m", "--report", "json")));
    const struct settings *settings = &outcome.settings;
    cr_expect_eq(settings->capture.interfaces.count, 2,
                 "the flag replaces the default and appends to itself");
    cr_expect_str_eq(settings->capture.interfaces.items[0], "eth0");
    cr_expect_eq(settings->capture.snaplen, 99);
    cr_expect_eq(settings->run.count, 5);
    cr_expect_str_eq(settings->capture.filter, "udp");
    cr_expect_eq(settings->flow.timeout_secs, 300);
    cr_expect_eq(settings->output.report, REPORT_JSON);
    outcome_done(&outcome);
}

Test(flags, every_bool_has_both_spellings)
{
    struct outcome outcome = accepted(
        flags(WORDS("--stats", "--hex-dump", "--no-hex-dump", "--no-rtt", "--no-promiscuous", "--compress")));
    cr_expect(outcome.settings.stats.enabled);
    cr_expect_not(outcome.settings.output.hex_dump, "the last one counts");
    cr_expect_not(outcome.settings.analysis.rtt);
    cr_expect_not(outcome.settings.capture.promiscuous);
    cr_expect(outcome.settings.output.compress);
    outcome_done(&outcome);
}

Test(flags, verbosity)
{
    static const struct {
        const char *word;
        int level;
        enum packet_lines packets;
    } cases[] = {
        {"-v", 2, PACKET_LINES_AUTO},  {"-vv", 3, PACKET_LINES_AUTO},      {"-vvvv", 3, PACKET_LINES_AUTO},
        {"-q", 0, PACKET_LINES_NEVER}, {"--quiet", 0, PACKET_LINES_NEVER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome outcome = accepted(flags(WORDS(cases[i].word)));
        cr_expect_eq(outcome.settings.log.level, cases[i].level, "%s", cases[i].word);
        cr_expect_eq(outcome.settings.output.packets, cases[i].packets, "%s", cases[i].word);
        outcome_done(&outcome);
    }
}

Test(flags, trailing_words_are_the_filter)
{
    struct outcome outcome = accepted(flags(WORDS("tcp", "-i", "eth0", "port", "443")));
    cr_expect_str_eq(outcome.settings.capture.filter, "tcp port 443");
    outcome_done(&outcome);
    refused(flags(WORDS("-f", "udp", "tcp")), "two filters");
}

Test(flags, a_word_that_is_a_file_wants_r)
{
    char path[64];
    write_file(path, "not empty");
    refused(flags(WORDS(path)), "netscope -r ");
    struct outcome outcome = accepted(flags(WORDS("-r", path)));
    cr_expect_str_eq(outcome.settings.capture.read_pcap.items[0], path);
    outcome_done(&outcome);
    unlink(path);
}

Test(flags, letters_of_tcpdump_name_the_long_flag)
{
    refused(flags(WORDS("-p")), "--no-promiscuous");
    refused(flags(WORDS("-t")), "--timeout-ms");
    refused(flags(WORDS("-l")), "--list-interfaces");
    refused(flags(WORDS("-vp")), "--no-promiscuous");
    refused(flags(WORDS("-nn")), "-n is not needed");
}

Test(flags, unknown_flags_name_the_nearest)
{
    refused(flags(WORDS("--snaplne", "5")), "--snaplne; the nearest is --snaplen");
    refused(flags(WORDS("--no-promiscous")), "the nearest is --no-promiscuous");
    refused(flags(WORDS("--interfaces=eth0")), "the nearest is --interface");
    refused(flags(WORDS("--write-p", "x")), "the nearest is --write-pcap");
    refused(flags(WORDS("--bogus")), "unknown flag --bogus; netscope --help lists all");
    refused(flags(WORDS("-Z")), "unknown flag -Z");
}

Test(flags, values_are_there_when_they_must_be_and_only_then)
{
    refused(flags(WORDS("-r")), "--read-pcap needs a value");
    refused(flags(WORDS("--snaplen")), "--snaplen needs a value");
    refused(flags(WORDS("--stats=1")), "--stats takes no value");
    refused(flags(WORDS("--snaplen", "x")), "--snaplen: capture.snaplen: must be");
    refused(flags(WORDS("--synthetic-flows", "0")), "--synthetic-flows: must be");
    refused(flags(WORDS("--synthetic-flows", "10x")), "--synthetic-flows: must be");
}
