// The handlers of every method, behind the gate: requests as anybody may send them, in protobuf and in JSON, by an operator
// and by a caller with limits, to a run that holds some flows and an alert. The first byte chooses the method, the second the
// rest. Whatever comes in, the reply ends once: with a response that unpacks, or with a status that says why not.
#include <protobuf-c/protobuf-c.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aggregate/snapshot.h"
#include "api/limits.h"
#include "api/method.h"
#include "api/stream.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "capture/clock.h"
#include "config/config.h"
#include "control/control.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { FRAME_BYTES = 60, FLOWS = 100, SCANNED = 60, STEPS = 6 };
enum choice { CHOICE_JSON = 1, CHOICE_LIMITED = 2, CHOICE_SLOW = 4 };

static struct settings settings;
static struct control *control;
static struct api *api;
static pthread_t thread;
static struct limits *limits;
static int64_t now_ns;

// What a call was answered.
struct answer {
    struct reply reply;
    const struct method *method;
    struct status status;
    unsigned sent, ended;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void take_message(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct answer *answer = (struct answer *)reply;
    ProtobufCMessage *message = protobuf_c_message_unpack(answer->method->response, NULL, length, bytes);
    require(message != NULL && answer->ended == 0);
    protobuf_c_message_free_unpacked(message, NULL);
    answer->sent++;
}

static void take_end(struct reply *reply, const struct status *status)
{
    struct answer *answer = (struct answer *)reply;
    answer->ended++;
    answer->status = *status;
}

static const struct reply_ops ops = {take_message, take_end};

// The run.

static void write_frame(FILE *file, uint32_t second, const uint8_t frame[FRAME_BYTES])
{
    const uint32_t head[4] = {second, 0, FRAME_BYTES, FRAME_BYTES};
    require(fwrite(head, sizeof head, 1, file) == 1 && fwrite(frame, FRAME_BYTES, 1, file) == 1);
}

// Flows from 10.0.0.x over UDP, then a scan of ports that is told as an alert.
static void write_capture(FILE *file)
{
    static const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65536, 1};
    uint8_t udp[FRAME_BYTES] = {[12] = 8,   [14] = 0x45, [17] = 46, [22] = 64, [23] = 17, [26] = 10,
                                [30] = 192, [32] = 2,    [33] = 9,  [34] = 4,  [36] = 31, [39] = 26};
    uint8_t syn[FRAME_BYTES] = {
        [12] = 8,   [14] = 0x45, [17] = 40, [22] = 64, [23] = 6, [26] = 10,   [29] = 9,
        [30] = 192, [32] = 2,    [33] = 7,  [34] = 4,  [41] = 1, [46] = 0x50, [47] = 2};
    require(fwrite(head, sizeof head, 1, file) == 1);
    for (uint8_t i = 0; i < FLOWS; i++) {
        udp[29] = udp[35] = i;
        write_frame(file, 1000 + i / 10, udp);
    }
    for (uint8_t port = 1; port <= SCANNED; port++) {
        syn[37] = port;
        write_frame(file, 1010, syn);
    }
    write_frame(file, 1015, udp);
}

static void *run(void *unused)
{
    struct error error;
    require(control_run(control, &error));
    return unused;
}

static void end(void)
{
    struct error error;
    control_stop(control);
    pthread_join(thread, NULL);
    api_destroy(api);
    control_finish(control, &error);
    control_destroy(control);
    limits_release(limits);
    settings_done(&settings);
}

static void await_packets(uint64_t count)
{
    for (uint64_t seen = 0; seen < count; usleep(10000)) {
        const struct snapshot *snapshot = control_snapshot(control);
        seen = snapshot != NULL ? snapshot->totals.analysed : 0;
        snapshot_release(snapshot);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    char path[] = "/tmp/netscope-fuzz-XXXXXX", *none[] = {NULL};
    char *words[] = {"netscope", "-r", path, "--anomalies", NULL};
    struct config_invocation what;
    struct error error = {0};
    FILE *file = fdopen(mkstemp(path), "wb");
    require(file != NULL);
    write_capture(file);
    fclose(file);
    if (!config_load(4, words, none, &settings, &what, &error) ||
        (control = control_create(&settings, &error)) == NULL ||
        (api = api_create(&(struct api_setup){.control = control, .version = "1.2.3"}, &error)) == NULL)
        fprintf(stderr, "%s\n", error.text);
    require(api != NULL);
    control_keep_open(control, true);
    require(pthread_create(&thread, NULL, run, NULL) == 0);
    await_packets(FLOWS + SCANNED + 1);
    unlink(path);
    require(limits_parse((char *[]){"network=10.0.0.0/25"}, 1, &limits, &error));
    now_ns = clock_now_ns();
    uint8_t digest[DIGEST_BYTES_MAX];
    require(digest_bytes(DIGEST_SHA256, "", 0, digest)); // OpenSSL ends after what still uses it
    atexit(end);
    return 0;
}

// Calls.

static void expect_end(const struct answer *answer)
{
    struct strbuf packed;
    require(answer->ended == 1);
    require(answer->status.code == STATUS_OK || answer->status.message[0] != '\0');
    strbuf_init(&packed, 65536);
    require(status_pack(&answer->status, &packed));
    strbuf_done(&packed);
}

static void step(struct stream *stream, struct answer *answer, bool slow)
{
    enum stream_state state = STREAM_WAITS;
    for (unsigned i = 0; i < STEPS && state != STREAM_OVER; i++) {
        unsigned sent = answer->sent;
        bool ready = !slow || i % 3 == 0;
        now_ns += NS_PER_S / 4;
        state = stream_step(stream, now_ns, ready, &answer->reply);
        require(answer->sent <= sent + 1 && (ready || answer->sent == sent));
        require(answer->ended == (state == STREAM_OVER));
    }
    stream_destroy(stream);
    if (state == STREAM_OVER)
        expect_end(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 2)
        return 0;
    const struct method *method = &method_table[bytes[0] % method_count];
    enum choice choice = bytes[1];
    struct answer answer = {.reply = {&ops}, .method = method};
    struct caller caller = {.identity = "operator", .role = ROLE_OPERATOR};
    struct request request = {(choice & CHOICE_JSON) != 0 ? REQUEST_JSON : REQUEST_PROTO, bytes + 2,
                              length - 2};
    if ((choice & CHOICE_LIMITED) != 0)
        caller = (struct caller){.identity = "limited", .role = ROLE_VIEWER, .limits = limits};
    if (method->handle != NULL) {
        method_call(method, api, &caller, &request, &answer.reply);
        expect_end(&answer);
        require(answer.sent == (answer.status.code == STATUS_OK));
        return 0;
    }
    struct stream *stream = method_open(method, api, &caller, &request, &answer.reply);
    if (stream != NULL)
        step(stream, &answer, (choice & CHOICE_SLOW) != 0);
    else
        expect_end(&answer);
    return 0;
}
