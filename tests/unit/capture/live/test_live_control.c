#include "live/live_polled.h"

static char lo[] = "lo";
static char *lo_word[] = {lo};
static char no_filter[] = "";

Test(live_control, a_filter_is_changed_without_losing_a_packet, .timeout = 60)
{
    static char narrow[] = "udp and dst port 9", wide[] = "udp and dst portrange 9-10";
    enter_namespace();
    struct polled polled;
    struct error error;
    struct capture_settings settings = settings_of(lo_word, 1, narrow);
    begin(&polled, &settings);
    for (unsigned i = 0; i < 300; i++) {
        settings.filter = i % 2 == 0 ? wide : narrow;
        send_datagrams(50, 9);
        cr_assert(source_reconfigure(polled.source, &settings, &error), "%s", error.text);
        send_datagrams(50, 9);
    }
    frames_of(&polled, 30000);
    send_datagrams(7, 10); // the last one was narrow
    settings.filter = wide;
    cr_assert(source_reconfigure(polled.source, &settings, &error), "%s", error.text);
    send_datagrams(5, 10);
    end(&polled, WHATEVER); // on a loaded machine the ring may drop some, which is counted
    cr_expect_eq(polled.counted.received, 30005, "the kernel let in %lu",
                 (unsigned long)polled.counted.received);
}

Test(live_control, a_filter_that_is_not_valid_changes_nothing, .timeout = 30)
{
    static char good[] = "udp and dst port 9", bad[] = "udp and and";
    enter_namespace();
    struct polled polled;
    struct error error;
    struct capture_settings settings = settings_of(lo_word, 1, good);
    begin(&polled, &settings);
    settings.filter = bad;
    cr_assert_not(source_reconfigure(polled.source, &settings, &error));
    cr_assert_eq(error.kind, ERROR_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(error.text, "udp and and"), "%s", error.text);
    send_datagrams(10, 10);
    send_datagrams(10, 9);
    cr_assert_eq(frames_of(&polled, 10), 10);
    settings.filter = no_filter;
    cr_assert(source_reconfigure(polled.source, &settings, &error), "%s", error.text);
    send_datagrams(10, 9);
    cr_assert_geq(frames_of(&polled, 20), 20, "and what the kernel answers to nobody's port");
    end(&polled, WHATEVER);
}

Test(live_control, of_any_changes_the_filter_and_knows_the_links, .timeout = 30)
{
    static char any[] = "any", nine[] = "udp and dst port 9", ten[] = "udp and dst port 10";
    static char *word[] = {any};
    enter_namespace();
    struct polled polled;
    struct error error;
    char name[SOURCE_LINK_NAME_BYTES];
    struct capture_settings settings = settings_of(word, 1, nine);
    begin(&polled, &settings);
    send_datagrams(10, 9);
    cr_assert_eq(frames_of(&polled, 10), 10);
    settings.filter = ten;
    cr_assert(source_reconfigure(polled.source, &settings, &error), "%s", error.text);
    send_datagrams(10, 9);
    send_datagrams(10, 10);
    cr_assert_eq(frames_of(&polled, 20), 20);
    for (int i = 0; i < 200 && !source_link_name(polled.source, if_nametoindex("lo"), name); i++)
        usleep(5000);
    cr_assert(source_link_name(polled.source, if_nametoindex("lo"), name));
    cr_assert_str_eq(name, "lo");
    cr_assert_not(source_link_name(polled.source, 12345, name));
    end(&polled, 20);
}

Test(live_control, interfaces_start_and_stop, .timeout = 30)
{
    enter_namespace();
    make_veth("one0");
    static char one[] = "one*";
    static char *word[] = {one};
    struct polled polled;
    struct error error;
    struct source_drops verdict;
    static char filter[] = "udp and dst port 9";
    struct capture_settings settings = settings_of(word, 1, filter);
    begin(&polled, &settings);
    cr_assert_not(source_start(polled.source, "nosuch0", &error));
    cr_assert_eq(error.kind, ERROR_NOT_FOUND, "%s", error.text);
    cr_assert_not(source_stop_one(polled.source, "nosuch0", true, &verdict, &error));
    cr_assert_eq(error.kind, ERROR_NOT_FOUND, "%s", error.text);
    cr_assert_not(source_stop_one(polled.source, "one0", true, &verdict, &error));
    cr_assert_eq(error.kind, ERROR_FAILED_PRECONDITION, "%s", error.text);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(source_start(polled.source, "lo", &error), "%s", error.text);
        cr_assert(source_start(polled.source, "lo", &error), "what is captured is fine: %s", error.text);
        send_datagrams(100, 9);
        cr_assert(source_stop_one(polled.source, "lo", i != 1, &verdict, &error), "%s", error.text);
        cr_assert_eq(verdict.received, 100, "%lu", (unsigned long)verdict.received);
        cr_assert_eq(verdict.delivered + verdict.unread, 100);
        send_datagrams(10, 9); // nobody looks
    }
    unsigned before = atomic_load(&polled.frames);
    cr_assert_geq(before, 200, "two were drained");
    cr_assert(source_start(polled.source, "lo", &error), "%s", error.text);
    send_datagrams(30, 9);
    cr_assert_eq(frames_of(&polled, before + 30), before + 30);
    end(&polled, before + 30);
}

Test(live_control, the_last_stop_ends_the_source_unless_it_is_kept_open, .timeout = 30)
{
    enter_namespace();
    struct polled polled;
    struct error error;
    struct capture_settings settings = settings_of(lo_word, 1, no_filter);
    begin(&polled, &settings);
    source_keep_open(polled.source, true);
    cr_assert(source_stop_one(polled.source, "lo", true, NULL, &error), "%s", error.text);
    usleep(100000);
    cr_assert_not(atomic_load(&polled.ended));
    cr_assert(source_start(polled.source, "lo", &error), "%s", error.text);
    send_datagrams(20, 9);
    cr_assert_geq(frames_of(&polled, 20), 20);
    source_keep_open(polled.source, false);
    cr_assert(source_stop_one(polled.source, "lo", true, NULL, &error), "%s", error.text);
    pthread_join(polled.thread, NULL);
    cr_assert_eq(source_verdict(polled.source, &error), ERROR_NONE, "stopped on purpose");
    cr_assert_not(source_start(polled.source, "lo", &error));
    cr_assert_eq(error.kind, ERROR_CANCELLED, "%s", error.text);
    source_destroy(polled.source);
    chunk_pool_destroy(polled.pool);
}

Test(live_control, settings_bring_the_interfaces_in_line, .timeout = 30)
{
    static char one[] = "one*", two[] = "two*", one1[] = "one1", missing[] = "nosuch0",
                filter[] = "udp and dst port 9";
    enter_namespace();
    make_veth("one0");
    make_veth("two0");
    char *words[] = {lo, one};
    struct polled polled;
    struct error error;
    struct source_drops verdict;
    struct capture_settings settings = settings_of(words, 2, filter);
    begin(&polled, &settings);
    char *others[] = {lo, missing};
    settings.interfaces.items = others;
    cr_assert_not(source_reconfigure(polled.source, &settings, &error));
    cr_assert_eq(error.kind, ERROR_NOT_FOUND, "%s", error.text);
    others[1] = two;
    settings.exclude_interfaces = (struct string_list){.items = (char *[]){one1}, .count = 1};
    cr_assert(source_reconfigure(polled.source, &settings, &error), "%s", error.text);
    cr_assert_not(source_stop_one(polled.source, "one*", true, &verdict, &error));
    cr_assert_eq(error.kind, ERROR_NOT_FOUND, "%s", error.text);
    cr_assert(source_stop_one(polled.source, "two*", true, &verdict, &error), "%s", error.text);
    send_datagrams(40, 9);
    cr_assert_eq(frames_of(&polled, 40), 40, "the one that stays goes on");
    end(&polled, 40);
}

Test(live_control, a_fixed_capture_starts_nothing, .timeout = 30)
{
    enter_namespace();
    struct polled polled;
    struct error error;
    struct capture_settings settings = settings_of(lo_word, 1, no_filter);
    settings.fixed = true;
    begin(&polled, &settings);
    cr_assert(source_start(polled.source, "lo", &error), "it runs: %s", error.text);
    cr_assert_not(source_start(polled.source, "any", &error));
    cr_assert_eq(error.kind, ERROR_FAILED_PRECONDITION, "%s", error.text);
    cr_assert_not_null(strstr(error.text, "capture.fixed"), "%s", error.text);
    end(&polled, 0);
}

Test(live_control, what_is_no_live_capture_cannot_be_changed)
{
    struct source_ops ops = {.name = "file"};
    struct source source = {.ops = &ops};
    struct error error;
    cr_assert_not(source_start(&source, "lo", &error));
    cr_assert_eq(error.kind, ERROR_FAILED_PRECONDITION);
    cr_assert_not(source_stop_one(&source, "lo", true, NULL, &error));
    cr_assert_not(source_reconfigure(&source, NULL, &error));
    cr_assert_not(source_link_name(&source, 1, (char[SOURCE_LINK_NAME_BYTES]){0}));
    source_keep_open(&source, true);
}
