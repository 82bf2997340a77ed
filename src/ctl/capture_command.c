// capture: packets of a sensor as pcapng, into a file or a pipe.
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/build.h"
#include "base/time.h"
#include "base/units.h"
#include "ctl/commands.h"
#include "ctl/complaint.h"
#include "ctl/interrupt.h"
#include "ctl/invocation.h"
#include "ctl/task.h"
#include "netscope/v1/packet.pb-c.h"

typedef Netscope__V1__StreamPcapRequest Request;
typedef Netscope__V1__StreamPcapResponse Response;

static const int64_t look_every_ns = 100 * NS_PER_MS;

struct capture {
    struct task task; // first
    Request request;
    struct fleet *fleet;
    struct server *server;
    const char *path; // "-": standard output
    FILE *file;       // NULL: nothing came yet, so that a refusal empties no file
    uint64_t bytes;
    struct client_call *call;
    enum ctl_exit exit_code;
};

static bool open_file(struct capture *capture)
{
    if (capture->file != NULL)
        return true;
    capture->file = strcmp(capture->path, "-") == 0 ? stdout : fopen(capture->path, "we");
    return capture->file != NULL;
}

static void fail_output(struct capture *capture)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "cannot write to %s: %s",
             strcmp(capture->path, "-") == 0 ? "standard output" : capture->path, strerror(errno));
    complain(sentence);
    capture->exit_code = CTL_OUTPUT;
    client_call_cancel(capture->call);
}

static void tell_end(const Netscope__V1__PcapEnd *end)
{
    struct strbuf text;
    strbuf_init(&text, 1024);
    units_add_count(&text, end->packets);
    strbuf_add(&text, end->packets == 1 ? " packet, " : " packets, ");
    units_add_bytes(&text, end->bytes);
    if (end->dropped > 0) {
        strbuf_add(&text, "; ");
        units_add_count(&text, end->dropped);
        strbuf_add(&text, " are missing, for they were not read in time");
    }
    complain(text.text);
    strbuf_done(&text);
}

static void take_message(void *owner, const uint8_t *bytes, size_t length)
{
    struct capture *capture = owner;
    Response *response = netscope__v1__stream_pcap_response__unpack(NULL, length, bytes);
    if (response == NULL || capture->exit_code == CTL_OUTPUT)
        goto done;
    capture->bytes += response->data.len;
    // What reads a pipe wants it now.
    if (!open_file(capture) ||
        fwrite(response->data.data, 1, response->data.len, capture->file) != response->data.len ||
        fflush(capture->file) != 0)
        fail_output(capture);
    else if (response->end != NULL)
        tell_end(response->end);
done:
    if (response != NULL)
        netscope__v1__stream_pcap_response__free_unpacked(response, NULL);
}

static void take_end(void *owner, const struct client_end *end)
{
    struct capture *capture = owner;
    assert(capture->call != NULL);
    capture->call = NULL;
    if (end->code == STATUS_OK || capture->exit_code != CTL_DONE || interrupted())
        return;
    capture->exit_code = exit_of_end(end->code);
    complain_of(capture->fleet, capture->server, end);
    if (capture->bytes > 0)
        complain("what came until then is written, and readable");
}

static bool start(struct capture *capture, struct error *error)
{
    static const struct client_handler handler = {take_message, take_end};
    const Request *request = &capture->request;
    size_t length = netscope__v1__stream_pcap_request__get_packed_size(request);
    uint8_t *bytes = malloc(length + 1);
    bool connected = bytes != NULL && fleet_connect(capture->fleet, capture->server, error);
    if (connected) {
        netscope__v1__stream_pcap_request__pack(request, bytes);
        struct client_request call = {"/netscope.v1.PacketService/StreamPcap", bytes, length, 0};
        capture->call = client_call_start(capture->server->channel, &call, &handler, capture);
    }
    if (bytes == NULL || (connected && capture->call == NULL))
        error_set(error, ERROR_EXHAUSTED, "no memory for a call");
    free(bytes);
    return capture->call != NULL;
}

static void wait_for_end(struct capture *capture)
{
    bool cancelled = false;
    while (capture->call != NULL) {
        client_wait(capture->fleet->client, look_every_ns);
        if (!interrupted() || cancelled || capture->call == NULL)
            continue;
        cancelled = true;
        client_call_cancel(capture->call);
    }
}

static enum ctl_exit close_file(struct capture *capture)
{
    if (capture->file != NULL && capture->file != stdout && fclose(capture->file) != 0 &&
        capture->exit_code == CTL_DONE) {
        complain("the file could not be written whole");
        return CTL_OUTPUT;
    }
    return capture->exit_code;
}

static bool prepare(struct task *task, struct build *build, const struct invocation *given,
                    struct error *error)
{
    struct capture *capture = (struct capture *)task;
    Request *request = &capture->request;
    uint64_t snaplen;
    int64_t duration_ns;
    const char *filter = given_text(given, "filter");
    capture->path = given_text(given, "write");
    if (capture->path == NULL)
        return error_set(error, ERROR_INVALID_ARGUMENT, "capture needs -w FILE, or -w - for standard output");
    if (strcmp(capture->path, "-") == 0 && isatty(STDOUT_FILENO))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "packets are no text for a terminal: give -w FILE, or pipe them into tshark -r -");
    if (filter != NULL)
        request->filter = build_borrowed(filter);
    if (!given_number(given, "count", UINT64_MAX, 0, &request->max_packets, error) ||
        !given_number(given, "max-bytes", UINT64_MAX, 0, &request->max_bytes, error) ||
        !given_number(given, "snaplen", UINT32_MAX, 0, &snaplen, error) ||
        !given_span(given, "duration", 0, &duration_ns, error))
        return false;
    request->snaplen = (uint32_t)snaplen;
    request->interfaces = build_part(build, INVOCATION_OPTIONS * sizeof *request->interfaces);
    request->max_duration = build_part(build, sizeof *request->max_duration);
    if (request->interfaces == NULL || request->max_duration == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the request");
    google__protobuf__duration__init(request->max_duration);
    request->max_duration->seconds = duration_ns / NS_PER_S;
    request->max_duration->nanos = (int32_t)(duration_ns % NS_PER_S);
    if (duration_ns == 0)
        request->max_duration = NULL;
    for (unsigned i = 0; i < given->option_count; i++)
        if (strcmp(given->options[i].row->name, "interface") == 0)
            request->interfaces[request->n_interfaces++] = build_borrowed(given->options[i].value);
    return true;
}

static enum ctl_exit run(struct task *task, struct fleet *fleet, struct output *output)
{
    struct capture *capture = (struct capture *)task;
    struct error error = {.kind = ERROR_NONE};
    (void)output;
    capture->fleet = fleet;
    capture->server = fleet->servers[0];
    if (fleet->count > 1)
        error_set(&error, ERROR_INVALID_ARGUMENT,
                  "a capture is of one sensor, and several are named: give one --server");
    if (fleet->count > 1 || !start(capture, &error))
        return complain_usage(&error);
    wait_for_end(capture);
    return close_file(capture);
}

enum ctl_exit run_capture(const struct invocation *given)
{
    struct capture capture = {.task = {.prepare = prepare, .run = run}};
    netscope__v1__stream_pcap_request__init(&capture.request);
    return task_run(&capture.task, given);
}
