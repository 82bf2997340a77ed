// What a run is asked about its flows: rows as exports have them, and addresses by their names.
#include "aggregate/answer.h"
#include "aggregate/name_search.h"
#include "aggregate/sink.h"
#include "base/latch.h"
#include "base/message.h"
#include "running.h"

static const uint8_t udp_frame[60] = {
    2,    0, 0,    0,    0, 2,  2, 0, 0,  0,  0, 1, 8,  0,                     // Ethernet
    0x45, 0, 0,    46,   0, 0,  0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 9, // 10.0.0.1 to 192.0.2.9
    4,    0, 0x1f, 0x90, 0, 26, 0, 0,                                          // port 1024 to 8080
};

// A packet of one flow from another port each time.
static void send_flow(struct running *running, uint32_t second, uint8_t port)
{
    uint8_t record[16 + sizeof udp_frame];
    uint32_t head[4] = {second, 0, sizeof udp_frame, sizeof udp_frame};
    memcpy(record, head, sizeof head);
    memcpy(record + sizeof head, udp_frame, sizeof udp_frame);
    record[sizeof head + 35] = port;
    cr_assert_eq(write(running->pipe, record, sizeof record), (ssize_t)sizeof record);
}

enum { FLOWS = 25 };

static void begin_named(struct running *running, char path[32])
{
    static const char rows[] = "192.0.2.0/24,web.example.com,shop,service\n10.0.0.1,client.example.com,,\n"
                               "192.0.2.64/26,db,bank,\n192.0.2.65,till,shop,\n192.0.2.66,vault,bank,\n";
    char yaml[128];
    strcpy(path, "/tmp/netscope-names-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_eq(write(fd, rows, sizeof rows - 1), (ssize_t)sizeof rows - 1);
    close(fd);
    snprintf(yaml, sizeof yaml, "sensor:\n  node_name: here\nnames:\n  file: %s\n", path);
    begin_run(running, yaml);
    start_run(running);
    for (uint8_t i = 0; i < FLOWS; i++)
        send_flow(running, 100, i);
    const struct snapshot *snapshot = NULL;
    for (uint64_t active = 0; active < FLOWS; snapshot_release(snapshot)) {
        send_packet(running, 101);
        usleep(10000);
        snapshot = control_snapshot(running->control);
        active = snapshot->totals.flows_active;
    }
}

Test(answers, have_rows_as_exports_have_them, .timeout = 60)
{
    struct running running;
    struct error error;
    char path[32];
    begin_named(&running, path);
    struct flow_query query = {.order.by = FLOWS_BY_BYTES, .limit = 3};
    struct flow_page *page = control_ask(running.control, &query, &error);
    cr_assert_not_null(page, "%s", error.text);
    cr_assert_eq(page->count, 3);
    for (unsigned i = 0; i < page->count; i++) {
        const struct flow_event *row = answer_row(page, i);
        cr_assert_not_null(row);
        char row_id[FLOW_ID_TEXT_BYTES], record_id[FLOW_ID_TEXT_BYTES];
        flow_record_id(&row->record, row_id);
        flow_record_id(&page->rows[i].record, record_id);
        cr_expect_str_eq(row_id, record_id);
        cr_expect_str_eq(flow_event_text(row, EVENT_TEXT_NODE), "here");
        cr_expect_str_eq(flow_event_text(row, EVENT_TEXT_NAME), "client.example.com");
        cr_expect_str_eq(flow_event_text(row, EVENT_TEXT_NAME + 1), "web.example.com");
        cr_expect_str_eq(flow_event_text(row, EVENT_TEXT_NAMESPACE + 1), "shop");
        cr_expect_eq(row->name_source[1], 1);
        cr_expect_eq(row->direction, 2, "outbound");
        cr_expect_eq(strncmp(row->community_id, "1:", 2), 0);
        cr_expect_null(row->record.names);
    }
    flow_page_release(page);
    end_run(&running);
    unlink(path);
}

Test(answers, come_in_pages_until_all_were_shown, .timeout = 60)
{
    enum { ROWS = 10 };
    struct running running;
    struct error error;
    char path[32], token[FLOW_TOKEN_TEXT_BYTES] = "";
    begin_named(&running, path);
    struct flow_query query = {.order.by = FLOWS_BY_FIRST_SEEN, .limit = ROWS};
    unsigned shown = 0, pages = 0;
    do {
        struct flow_page *page =
            control_list(running.control, &query, token[0] != '\0' ? token : NULL, &error);
        cr_assert_not_null(page, "%s", error.text);
        for (unsigned i = 0; i < page->count; i++)
            cr_expect_not_null(answer_row(page, i));
        shown += page->count;
        pages++;
        strcpy(token, page->next);
        flow_page_release(page);
    } while (token[0] != '\0');
    cr_expect_eq(shown, FLOWS);
    cr_expect_geq(pages, FLOWS / ROWS);
    cr_expect_null(control_list(running.control, &query, "nonsense", &error));
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
    end_input(&running);
    cr_expect_null(control_list(running.control, &query, NULL, &error));
    cr_expect_eq(error.kind, ERROR_FAILED_PRECONDITION);
    done_run(&running);
    unlink(path);
}

// A sink that holds the aggregate up once it is told to: no answer is merged meanwhile.
struct barrier {
    struct sink sink;
    atomic_bool shut;
    struct latch reached, opened;
};

static void stop_at(struct sink *sink, const struct totals *totals, int64_t now_ns)
{
    struct barrier *barrier = (struct barrier *)sink;
    (void)totals, (void)now_ns;
    if (atomic_exchange(&barrier->shut, false)) {
        latch_arrive(&barrier->reached);
        latch_open(&barrier->reached);
        latch_wait(&barrier->opened, MESSAGE_FOR_EVER);
    }
}

static void leave_alone(struct sink *sink)
{
    (void)sink; // it is the test's
}

enum { ASKERS = 40, PLACES = 32 };

struct asker {
    struct control *control;
    pthread_t thread;
    struct flow_page *page;
    struct error error;
    atomic_uint *refused;
};

static void *ask_once(void *argument)
{
    struct asker *asker = argument;
    struct flow_query query = {.order.by = FLOWS_BY_BYTES, .limit = 1};
    asker->page = control_ask(asker->control, &query, &asker->error);
    if (asker->page == NULL)
        atomic_fetch_add(asker->refused, 1);
    return NULL;
}

Test(answers, are_given_to_so_many_at_once_and_refused_to_more, .timeout = 60)
{
    static const struct sink_ops ops = {.name = "barrier", .tick = stop_at, .destroy = leave_alone};
    static struct barrier barrier = {.sink = {&ops}};
    static struct asker askers[ASKERS];
    struct running running;
    atomic_uint refused = 0;
    latch_close(&barrier.reached, 1);
    latch_close(&barrier.opened, 1);
    begin_run(&running, NULL);
    control_add_sink(running.control, &barrier.sink);
    start_run(&running);
    atomic_store(&barrier.shut, true);
    for (uint32_t second = 1000; !latch_wait(&barrier.reached, 10); second++)
        send_packet(&running, second);
    for (unsigned i = 0; i < ASKERS; i++) {
        askers[i].control = running.control;
        askers[i].refused = &refused;
        cr_assert_eq(pthread_create(&askers[i].thread, NULL, ask_once, &askers[i]), 0);
    }
    for (unsigned ms = 0; atomic_load(&refused) < ASKERS - PLACES && ms < 2000; ms++)
        usleep(1000);
    cr_expect_eq(atomic_load(&refused), ASKERS - PLACES);
    latch_arrive(&barrier.opened);
    latch_open(&barrier.opened);
    for (unsigned i = 0; i < ASKERS; i++) {
        pthread_join(askers[i].thread, NULL);
        if (askers[i].page == NULL)
            cr_expect_eq(askers[i].error.kind, ERROR_EXHAUSTED, "%s", askers[i].error.text);
        flow_page_release(askers[i].page);
    }
    cr_expect_eq(atomic_load(&refused), ASKERS - PLACES);
    struct asker late = {.control = running.control, .refused = &refused};
    ask_once(&late);
    cr_expect_not_null(late.page, "places are given back");
    flow_page_release(late.page);
    end_run(&running);
}

static void expect_found(struct running *running, const char *text, bool suffix, const char *expected)
{
    struct error error = {.text = ""};
    struct filter_name name = {.text = text, .suffix = suffix};
    struct name_search *search = control_find_names(running->control, &name, 1, &error);
    cr_assert_not_null(search, "%s", error.text);
    char found[128] = "";
    for (unsigned i = 0; i < search->count; i++) {
        char address[ADDRESS_TEXT_BYTES];
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s/%u ",
                 address_format(&search->prefixes[i].address, address), search->prefixes[i].bits);
    }
    cr_expect_str_eq(found, expected, "%s: %s", text, found);
    message_release(&search->message);
}

Test(answers, find_addresses_by_their_names, .timeout = 60)
{
    struct running running;
    char path[32];
    begin_named(&running, path);
    expect_found(&running, "WEB.example.com", false, "192.0.2.0/24 ");
    expect_found(&running, "example.com", true, "10.0.0.1/32 192.0.2.0/24 ");
    expect_found(&running, "example.com", false, "");
    expect_found(&running, "ample.com", true, "");
    struct error wrong;
    char long_text[400] = "";
    memset(long_text, 'a', sizeof long_text - 1);
    struct filter_name names[] = {{.text = ""}, {.text = long_text}};
    for (unsigned i = 0; i < 2; i++) {
        cr_expect_null(control_find_names(running.control, &names[i], 1, &wrong));
        cr_expect_eq(wrong.kind, ERROR_INVALID_ARGUMENT);
    }
    end_input(&running);
    struct error error;
    struct filter_name name = {.text = "x"};
    cr_expect_null(control_find_names(running.control, &name, 1, &error));
    cr_expect_eq(error.kind, ERROR_FAILED_PRECONDITION);
    done_run(&running);
    unlink(path);
}

static void expect_places(struct running *running, const char *const *namespaces, unsigned count,
                          const char *expected)
{
    struct error error = {.text = ""};
    struct name_search *search = control_find_places(running->control, namespaces, count, &error);
    cr_assert_not_null(search, "%s", error.text);
    char found[256] = "";
    for (unsigned i = 0; i < search->count; i++) {
        char address[ADDRESS_TEXT_BYTES];
        const struct filter_place *place = &search->places[i];
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s/%u ", place->hole ? "-" : "",
                 address_format(&place->prefix.address, address), place->prefix.bits);
    }
    cr_expect_str_eq(found, expected, "%s", found);
    message_release(&search->message);
}

Test(answers, find_the_places_of_namespaces, .timeout = 60)
{
    struct running running;
    char path[32];
    begin_named(&running, path);
    const char *const names[] = {"shop", "bank", "sho"};
    expect_places(&running, names, 1, "192.0.2.65/32 -192.0.2.64/26 192.0.2.0/24 ");
    expect_places(&running, names + 1, 1, "-192.0.2.65/32 192.0.2.64/26 ");
    expect_places(&running, names, 2, "192.0.2.0/24 ");
    expect_places(&running, names + 2, 1, "");
    end_run(&running);
    unlink(path);
}
