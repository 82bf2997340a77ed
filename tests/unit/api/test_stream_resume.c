#include "api/stream_options.h"
#include "watching.h"

static void watch_after(struct watching *watching, struct calling *calling, const char *cursor)
{
    char json[256];
    snprintf(json, sizeof json, "{\"options\": {\"start\": {\"resume_after\": \"%s\"}}}", cursor);
    watch(watching, calling, ALERTS("WatchAlerts"), json);
}

Test(stream_resume, cursors_of_others_are_gaps_and_no_errors, .timeout = 60)
{
    struct calling calling;
    struct watching watching;
    char json[256], cursor[128];
    begin_with_alerts(&calling);
    watch(&watching, &calling, ALERTS("WatchAlerts"), "{}");
    strcpy(cursor, watching.cursor);
    end_watch(&watching);
    static const struct {
        unsigned digit; // that is changed
        Netscope__V1__GapReason reason;
    } cases[] = {{2, NETSCOPE__V1__GAP_REASON__GAP_REASON_OTHER_SENSOR},
                 {12, NETSCOPE__V1__GAP_REASON__GAP_REASON_RESTARTED}};
    for (size_t i = 0; i < 2; i++) {
        char *digit = &cursor[cases[i].digit], kept = *digit;
        *digit = kept == '0' ? '1' : '0';
        snprintf(json, sizeof json, "{\"options\": {\"start\": {\"resume_after\": \"%s\"}}}", cursor);
        watch(&watching, &calling, ALERTS("WatchAlerts"), json);
        cr_expect_eq(watching.gaps, 1);
        cr_expect_eq(watching.reason, cases[i].reason);
        cr_expect_not(watching.count_known);
        cr_expect_eq(watching.events, SCANS, "then everything that is kept");
        end_watch(&watching);
        *digit = kept;
    }
    snprintf(json, sizeof json, "{\"options\": {\"start\": {\"resume_after\": \"%s\"}}}", cursor);
    watch_refused(&calling, FLOWS("WatchFlows"), json, "options.start.resume_after", "another stream");
    cursor[60] = cursor[60] == '0' ? '1' : '0'; // of what is sealed
    snprintf(json, sizeof json, "{\"options\": {\"start\": {\"resume_after\": \"%s\"}}}", cursor);
    watch_refused(&calling, ALERTS("WatchAlerts"), json, "options.start.resume_after", "no cursor");
    end_calling(&calling);
}

// Cut right behind the first message, a client resumes with its cursor: nothing that was missing is left unsaid.
Test(stream_resume, after_the_first_message_alone, .timeout = 60)
{
    struct calling calling;
    struct watching watching;
    begin_with_alerts(&calling);
    watch(&watching, &calling, ALERTS("WatchAlerts"), "{}");
    char cursor[128], first[128];
    strcpy(cursor, watching.cursor);
    end_watch(&watching);
    cursor[12] = cursor[12] == '0' ? '1' : '0'; // of an earlier start
    char json[256];
    snprintf(json, sizeof json, "{\"options\": {\"start\": {\"resume_after\": \"%s\"}}}", cursor);
    open_watch(&watching, &calling, ALERTS("WatchAlerts"), json);
    cr_assert_eq(stream_step(watching.stream, watching.now_ns, true, &watching.reply), STREAM_GOES_ON);
    cr_assert(watching.starts == 1 && watching.gaps == 0 && watching.events == 0);
    strcpy(first, watching.cursor);
    end_watch(&watching);
    watch_after(&watching, &calling, first);
    cr_expect_eq(watching.gaps, 1);
    cr_expect_eq(watching.reason, NETSCOPE__V1__GAP_REASON__GAP_REASON_RESTARTED);
    cr_expect_eq(watching.events, SCANS);
    end_watch(&watching);

    open_watch(&watching, &calling, ALERTS("WatchAlerts"), "{}");
    stream_step(watching.stream, watching.now_ns, true, &watching.reply);
    strcpy(first, watching.cursor);
    end_watch(&watching);
    watch_after(&watching, &calling, first);
    cr_expect(watching.events == SCANS && watching.gaps == 0);
    end_watch(&watching);
    end_calling(&calling);
}

// A client that always reads misses nothing, however little room it asks for: the log is the longer queue.
Test(stream_resume, a_prompt_reader_needs_little_room, .timeout = 60)
{
    static const char *const policies[] = {"DROP_OLDEST", "DROP_NEWEST", "DISCONNECT"};
    struct calling calling;
    struct watching watching;
    begin_with_alerts(&calling);
    for (unsigned i = 0; i < 3; i++) {
        char json[200];
        snprintf(json, sizeof json, "{\"options\": {\"max_queue_bytes\": 4096, \"on_slow\": \"ON_SLOW_%s\"}}",
                 policies[i]);
        watch(&watching, &calling, ALERTS("WatchAlerts"), json);
        cr_expect(watching.status.code == STATUS_OK && watching.events == SCANS && watching.gaps == 0,
                  "%s: %lu events, %u gaps, %s", policies[i], (unsigned long)watching.events, watching.gaps,
                  watching.status.message);
        end_watch(&watching);
    }
    end_calling(&calling);
}

Test(stream_resume, so_many_streams_at_a_time, .timeout = 60)
{
    static struct watching watching[STREAMS_MOST + 1];
    struct calling calling;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    for (unsigned i = 0; i < STREAMS_MOST; i++)
        watch(&watching[i], &calling, ALERTS("WatchAlerts"), "{\"options\": {\"follow\": true}}");
    struct watching *last = &watching[STREAMS_MOST];
    open_watch(last, &calling, ALERTS("WatchAlerts"), "{\"options\": {\"follow\": true}}");
    cr_expect_null(last->stream);
    cr_expect_eq(last->status.code, STATUS_RESOURCE_EXHAUSTED);
    cr_expect_str_eq(last->status.reason, "STREAM_LIMIT");
    end_watch(&watching[0]);
    watch(&watching[0], &calling, ALERTS("WatchAlerts"), "{\"options\": {\"follow\": true}}");
    for (unsigned i = 0; i < STREAMS_MOST; i++)
        end_watch(&watching[i]);
    end_calling(&calling);
}
