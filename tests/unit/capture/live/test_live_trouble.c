// Changes of a live capture that fail, or take too long.
#include <dlfcn.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <pcap/pcap.h>

#include "live/live_polled.h"

// The kernel's epoll_ctl(), which refuses to watch so many further descriptors.
static atomic_int refusals;

int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
    if (operation == EPOLL_CTL_ADD && atomic_load(&refusals) > 0) {
        atomic_fetch_sub(&refusals, 1);
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_epoll_ctl, set, operation, fd, event);
}

// libpcap's pcap_setfilter(), which finds no memory so many times.
static atomic_int filter_refusals;

int pcap_setfilter(pcap_t *pcap, struct bpf_program *program)
{
    static int (*set)(pcap_t *, struct bpf_program *);
    if (set == NULL)
        *(void **)&set = dlsym(RTLD_NEXT, "pcap_setfilter");
    bool refused = atomic_load(&filter_refusals) > 0;
    if (refused)
        atomic_fetch_sub(&filter_refusals, 1);
    return refused ? -1 : set(pcap, program);
}

// libpcap's pcap_dispatch(), which fails for a handle that was broken, until that is closed.
static atomic_bool break_one;
static _Atomic(pcap_t *) broken;

int pcap_dispatch(pcap_t *pcap, int count, pcap_handler take, u_char *owner)
{
    static int (*dispatch)(pcap_t *, int, pcap_handler, u_char *);
    if (dispatch == NULL)
        *(void **)&dispatch = dlsym(RTLD_NEXT, "pcap_dispatch");
    if (atomic_exchange(&break_one, false))
        atomic_store(&broken, pcap);
    return pcap == atomic_load(&broken) ? PCAP_ERROR : dispatch(pcap, count, take, owner);
}

void pcap_close(pcap_t *pcap)
{
    static void (*shut)(pcap_t *);
    if (shut == NULL)
        *(void **)&shut = dlsym(RTLD_NEXT, "pcap_close");
    if (pcap == atomic_load(&broken))
        atomic_store(&broken, NULL);
    shut(pcap);
}

static char lo[] = "lo";

Test(live_trouble, an_interface_that_cannot_be_read_is_opened_again, .timeout = 60)
{
    static char any[] = "any", filter[] = "udp and dst port 9";
    char *names[] = {lo, any};
    enter_namespace();
    for (unsigned i = 0; i < 2; i++) {
        char *word[] = {names[i]};
        struct polled polled;
        struct capture_settings settings = settings_of(word, 1, filter);
        begin(&polled, &settings);
        usleep(100000);
        atomic_store(&break_one, true);
        for (int j = 0; j < 2000 && atomic_load(&polled.frames) == 0; j++) {
            send_datagrams(1, 9);
            usleep(5000);
        }
        cr_expect_gt(atomic_load(&polled.frames), 0, "%s, a second later", names[i]);
        end(&polled, WHATEVER);
    }
}

Test(live_trouble, an_interface_that_cannot_be_watched_is_opened_again, .timeout = 30)
{
    static char one0[] = "one0", filter[] = "udp and dst port 9";
    static char *word[] = {one0};
    enter_namespace();
    make_veth("one0");
    struct polled polled;
    struct error error;
    struct capture_settings settings = settings_of(word, 1, filter);
    begin(&polled, &settings);
    usleep(100000);
    atomic_store(&refusals, 1);
    cr_assert(source_start(polled.source, "lo", &error), "%s", error.text);
    for (int i = 0; i < 100 && atomic_load(&refusals) > 0; i++)
        usleep(5000);
    cr_assert_eq(atomic_load(&refusals), 0, "it was refused");
    for (int i = 0; i < 600 && atomic_load(&polled.frames) == 0; i++) {
        send_datagrams(1, 9);
        usleep(5000);
    }
    cr_expect_gt(atomic_load(&polled.frames), 0, "a second later");
    end(&polled, WHATEVER);
}

Test(live_trouble, a_start_is_not_blamed_for_another_interface, .timeout = 30)
{
    static char one0[] = "one0", tunnels[] = "tun*",
                filter[] = "ether host 02:00:00:00:00:01 or udp dst port 9";
    static char *words[] = {one0, tunnels};
    enter_namespace();
    make_veth("one0");
    if (system("ip tuntap add tun0 mode tun") != 0)
        cr_skip_test("no tunnels");
    struct polled polled;
    struct error error;
    struct capture_settings settings = settings_of(words, 2, filter);
    settings.timeout_ms = 50;
    begin(&polled, &settings);
    cr_assert(set_link("tun0", true), "which has no Ethernet, so that the filter fails, again and again");
    for (unsigned i = 0; i < 20; i++) {
        cr_assert(source_start(polled.source, "lo", &error), "%u: %s", i, error.text);
        cr_assert(source_stop_one(polled.source, "lo", true, NULL, &error), "%u: %s", i, error.text);
    }
    cr_assert_not(source_start(polled.source, "tun0", &error));
    cr_assert_not_null(strstr(error.text, "ether host"), "%s", error.text);
    end(&polled, WHATEVER);
}

Test(live_trouble, settings_wait_for_no_tick, .timeout = 30)
{
    static char one[] = "one*", filter[] = "udp and dst port 9";
    enter_namespace();
    make_veth("one0");
    char *words[] = {lo, one};
    struct polled polled;
    struct error error;
    struct capture_settings settings = settings_of(words, 2, filter);
    begin(&polled, &settings);
    atomic_store(&polled.untold, true);
    settings.interfaces.count = 1;
    cr_assert(source_reconfigure(polled.source, &settings, &error), "%s", error.text);
    settings.interfaces.count = 2;
    cr_assert(source_reconfigure(polled.source, &settings, &error), "%s", error.text);
    atomic_store(&polled.untold, false);
    send_datagrams(40, 9);
    cr_assert_eq(frames_of(&polled, 40), 40, "the one that stays goes on");
    end(&polled, 40);
}

Test(live_trouble, a_late_filter_is_taken_back, .timeout = 30)
{
    static char any[] = "any", nine[] = "udp and dst port 9", ten[] = "udp and dst port 10";
    static char *word[] = {any};
    enter_namespace();
    struct polled polled;
    struct error error;
    struct capture_settings settings = settings_of(word, 1, nine);
    create(&polled, &settings);
    settings.filter = ten;
    cr_assert_not(source_reconfigure(polled.source, &settings, &error), "nobody polls");
    cr_assert_eq(error.kind, ERROR_DEADLINE_EXCEEDED, "%s", error.text);
    usleep(100000);
    poll_on(&polled);
    usleep(100000);
    send_datagrams(10, 10);
    send_datagrams(20, 9);
    cr_assert_eq(frames_of(&polled, 20), 20, "the filter before");
    cr_assert(source_reconfigure(polled.source, &settings, &error), "%s", error.text);
    send_datagrams(10, 9);
    send_datagrams(20, 10);
    cr_assert_eq(frames_of(&polled, 40), 40);
    end(&polled, 40);
}

Test(live_trouble, a_filter_that_who_reads_cannot_set_is_refused, .timeout = 30)
{
    static char any[] = "any", nine[] = "udp and dst port 9", ten[] = "udp and dst port 10";
    static char *words[] = {any, lo};
    enter_namespace();
    struct polled polled;
    struct error error;
    struct capture_settings settings = settings_of(words, 2, nine);
    begin(&polled, &settings);
    settings.filter = ten;
    settings.interfaces.count = 1;
    atomic_store(&filter_refusals, 1);
    cr_assert_not(source_reconfigure(polled.source, &settings, &error));
    cr_assert_eq(error.kind, ERROR_EXHAUSTED, "%s", error.text);
    cr_assert_not_null(strstr(error.text, "on any"), "%s", error.text);
    usleep(100000);
    send_datagrams(10, 10);
    send_datagrams(20, 9);
    cr_assert_eq(frames_of(&polled, 40), 40, "both as before");
    cr_assert(source_reconfigure(polled.source, &settings, &error), "%s", error.text);
    send_datagrams(20, 10);
    cr_assert_eq(frames_of(&polled, 60), 60);
    end(&polled, WHATEVER);
}

static void *stop_lo(void *argument)
{
    struct polled *polled = argument;
    struct error error;
    cr_expect_not(source_stop_one(polled->source, "lo", true, NULL, &error), "no tick counts it");
    cr_expect_eq(error.kind, ERROR_DEADLINE_EXCEEDED, "%s", error.text);
    return NULL;
}

Test(live_trouble, what_waited_too_long_is_withdrawn, .timeout = 30)
{
    static char one0[] = "one0", nine[] = "udp and dst port 9", ten[] = "udp and dst port 10";
    enter_namespace();
    make_veth("one0");
    char *words[] = {lo, one0};
    struct polled polled;
    struct error error;
    pthread_t stopper;
    struct capture_settings settings = settings_of(words, 2, nine);
    begin(&polled, &settings);
    atomic_store(&polled.untold, true);
    pthread_create(&stopper, NULL, stop_lo, &polled);
    usleep(200000);
    settings.filter = ten;
    cr_assert_not(source_reconfigure(polled.source, &settings, &error));
    cr_assert_not_null(strstr(error.text, "nothing has changed"), "%s", error.text);
    pthread_join(stopper, NULL);
    atomic_store(&polled.untold, false);
    cr_assert(source_start(polled.source, "lo", &error), "behind the stop, which went on: %s", error.text);
    send_datagrams(10, 10);
    send_datagrams(20, 9);
    cr_assert_eq(frames_of(&polled, 20), 20, "the filter is what it was");
    end(&polled, 20);
}
