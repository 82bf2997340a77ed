#include "ctl/complaint.h"

#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

enum { COMPLAINT_BYTES = 16384 };

void add_shown(struct strbuf *into, const char *text)
{
    // A backslash was escaped by the sensor already.
    for (; text != NULL && *text != '\0'; text += *text == '\\') {
        size_t plain = strcspn(text, "\\");
        strbuf_add_wire(into, text, plain);
        text += plain;
        if (*text == '\\')
            strbuf_add_char(into, '\\');
    }
}

void complain(const char *sentence)
{
    fflush(stdout);
    fprintf(stderr, "netscopectl: %s\n", sentence);
}

enum ctl_exit complain_usage(const struct error *error)
{
    complain(error->text);
    return error->kind == ERROR_UNAVAILABLE ? CTL_UNREACHABLE : CTL_USAGE;
}

void complain_of_limits(char *const *limits, size_t count)
{
    struct strbuf text;
    if (count == 0)
        return;
    strbuf_init(&text, COMPLAINT_BYTES);
    strbuf_add(&text, "this is only what you may see: ");
    for (size_t i = 0; i < count; i++) {
        strbuf_add(&text, i > 0 ? ", " : "");
        add_shown(&text, limits[i]);
    }
    complain(text.text);
    strbuf_done(&text);
}

enum ctl_exit exit_of_end(enum status_code code)
{
    if (code == STATUS_OK)
        return CTL_DONE;
    return code == STATUS_UNAVAILABLE || code == STATUS_DEADLINE_EXCEEDED ? CTL_UNREACHABLE : CTL_REFUSED;
}

// gRPC's "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:9: Failed to connect to remote host:
// Connection refused" without what is not the reason.
static const char *reason_of(const char *message)
{
    static const char *const before[] = {
        "Failed to connect to remote host: ", "Ssl handshake failed: ", "last error: "};
    for (unsigned i = 0; i < sizeof before / sizeof before[0]; i++) {
        const char *found = strstr(message, before[i]);
        if (found != NULL)
            return found + (i == 0 ? strlen(before[i]) : 0);
    }
    return message;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

// What may help against what gRPC says of a connection that did not come about; NULL = nothing in particular.
static const char *cure_of(const char *reason, bool tls)
{
    if (has(reason, "certificate verify failed"))
        return "Its certificate is of no CA that is trusted: give --tls-ca FILE";
    if (has(reason, "is not in peer certificate"))
        return "Give the name that its certificate has by --tls-server-name";
    if (has(reason, "handshake failed"))
        return "Does it speak TLS there, and does it want a certificate (--tls-cert, --tls-key)?";
    if (has(reason, "Connection refused") || has(reason, "No such file"))
        return "Is it running with --grpc there? --server names another one";
    if (!tls && (has(reason, "Socket closed") || has(reason, "reset by peer") || has(reason, "read failed")))
        return "If it speaks TLS there, give --tls";
    return NULL;
}

static void add_unavailable(struct strbuf *into, const struct fleet *fleet, const struct server *server,
                            const char *message)
{
    const char *reason = reason_of(message);
    const char *cure = cure_of(reason, fleet->connection.uses_tls);
    strbuf_addf(into, "cannot reach the sensor at %s: ", server->label);
    size_t before = into->length;
    child_add_complaint(&server->child, into);
    if (into->length == before)
        add_shown(into, reason);
    if (cure != NULL)
        strbuf_addf(into, ". %s", cure);
}

static const char *advice(enum status_code code, bool has_token)
{
    switch (code) {
    case STATUS_UNAUTHENTICATED:
        return has_token ? "It does not know this token: is it the one in the sensor's grpc.auth.tokens_file?"
                         : "Give a token (--token-file or NETSCOPE_TOKEN), or a certificate (--tls-cert, "
                           "--tls-key)";
    case STATUS_PERMISSION_DENIED:
        return "netscopectl status tells who the sensor takes you for, and your role";
    case STATUS_UNIMPLEMENTED:
        return "Is the sensor older than this netscopectl?";
    case STATUS_DEADLINE_EXCEEDED:
        return "--timeout gives it longer";
    default:
        return NULL;
    }
}

static void add_violations(struct strbuf *into, const Google__Protobuf__Any *detail)
{
    Google__Rpc__BadRequest *bad =
        google__rpc__bad_request__unpack(NULL, detail->value.len, detail->value.data);
    if (bad == NULL)
        return;
    // The first one is the sentence itself.
    for (size_t i = 1; i < bad->n_field_violations; i++) {
        strbuf_add(into, "\n  ");
        add_shown(into, bad->field_violations[i]->field);
        strbuf_add(into, ": ");
        add_shown(into, bad->field_violations[i]->description);
    }
    google__rpc__bad_request__free_unpacked(bad, NULL);
}

static void add_details(struct strbuf *into, const struct client_end *end)
{
    if (end->details_bytes == 0)
        return;
    Google__Rpc__Status *status = google__rpc__status__unpack(NULL, end->details_bytes, end->details);
    if (status == NULL)
        return;
    for (size_t i = 0; i < status->n_details; i++)
        if (strcmp(status->details[i]->type_url, "type.googleapis.com/google.rpc.BadRequest") == 0)
            add_violations(into, status->details[i]);
    google__rpc__status__free_unpacked(status, NULL);
}

void complaint_add(struct strbuf *into, const struct fleet *fleet, const struct server *server,
                   const struct client_end *end)
{
    if (end->code == STATUS_UNAVAILABLE) {
        add_unavailable(into, fleet, server, end->message);
        return;
    }
    if (fleet_is_several(fleet))
        strbuf_addf(into, "%s: ", server->label);
    if (end->code == STATUS_DEADLINE_EXCEEDED && end->details_bytes == 0)
        strbuf_addf(into, "%s did not answer in time", server->label);
    else
        add_shown(into, end->message[0] != '\0' ? end->message : status_code_name(end->code));
    const char *what_to_do = advice(end->code, fleet->connection.token != NULL);
    if (what_to_do != NULL)
        strbuf_addf(into, ". %s", what_to_do);
    add_details(into, end);
}

void complain_of(const struct fleet *fleet, const struct server *server, const struct client_end *end)
{
    struct strbuf text;
    strbuf_init(&text, COMPLAINT_BYTES);
    complaint_add(&text, fleet, server, end);
    complain(text.text);
    strbuf_done(&text);
}
