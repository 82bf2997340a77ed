#include "config/describe.h"

#include <criterion/criterion.h>

#include "base/strbuf.h"

static void expect(void (*describe)(struct strbuf *, const struct setting *), const char *key,
                   const char *words)
{
    struct strbuf text;
    strbuf_init(&text, 1000);
    describe(&text, &setting_table[setting_find(key)]);
    cr_expect_str_eq(text.text, words, "%s: %s", key, text.text);
    strbuf_done(&text);
}

Test(describe, forms)
{
    expect(describe_form, "pipeline.batch", "1 to 4096 packets");
    expect(describe_form, "flow.hash_seed", "0 or more");
    expect(describe_form, "output.report", "auto, text, json, none");
    expect(describe_form, "capture.promiscuous", "true or false");
    expect(describe_argument, "output.report", "auto|text|json|none");
    expect(describe_argument, "capture.filter", "BPF");
    expect(describe_argument, "output.write_pcap", "PATH");
    expect(describe_flag, "capture.promiscuous", "--[no-]promiscuous");
    expect(describe_flag, "capture.snaplen", "-s, --snaplen");
    expect(describe_default, "flow.max_flows", "1000000 live, no cap for files");
}

Test(describe, wraps_at_the_width)
{
    struct strbuf text;
    strbuf_init(&text, 1000);
    describe_wrapped(&text, "one two  three a-word-too-long-for-it", 2, "  ", 10);
    cr_expect_str_eq(text.text, "one two\n  three\n  a-word-too-long-for-it");
    strbuf_done(&text);
}
