#include "ctl/pods.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "ctl/child.h"
#include "netscope/v1/alert.pb-c.h"
#include "netscope/v1/flow.pb-c.h"

typedef Netscope__V1__Endpoint Endpoint;
typedef Netscope__V1__AlertParty Party;

enum { PODS_BYTES = 256 << 20 };

// "namespace name [true] address...": `true` is a pod with its node's addresses, which are not its own.
static const char lines_of_pods[] = "jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name} "
                                    "{.spec.hostNetwork} {.status.podIPs[*].ip}{\"\\n\"}{end}";

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct pod_name *)left)->ip, ((const struct pod_name *)right)->ip);
}

static bool add_name(struct pods *pods, size_t *room, struct pod_name name)
{
    if (pods->count == *room) {
        size_t wanted = *room > 0 ? 2 * *room : 256;
        struct pod_name *list = realloc(pods->list, wanted * sizeof *list);
        if (list == NULL)
            return false;
        pods->list = list;
        *room = wanted;
    }
    pods->list[pods->count++] = name;
    return true;
}

static bool read_line(struct pods *pods, size_t *room, char *line)
{
    char *rest = NULL;
    struct pod_name name = {.namespace = strtok_r(line, " ", &rest), .name = strtok_r(NULL, " ", &rest)};
    while (name.name != NULL && (name.ip = strtok_r(NULL, " ", &rest)) != NULL) {
        if (strcmp(name.ip, "true") == 0)
            return true;
        if (!add_name(pods, room, name))
            return false;
    }
    return true;
}

static bool read_lines(struct pods *pods)
{
    size_t room = 0;
    char *rest = NULL;
    for (char *line = strtok_r(pods->text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (!read_line(pods, &room, line))
            return false;
    if (pods->count > 0)
        qsort(pods->list, pods->count, sizeof *pods->list, compare);
    return true;
}

bool pods_read(struct pods *pods, struct error *error)
{
    static const char *const arguments[] = {"kubectl", "get", "pods", "-A", "-o", lines_of_pods, NULL};
    struct strbuf text;
    *pods = (struct pods){.text = NULL};
    strbuf_init(&text, PODS_BYTES);
    bool fine = child_run(arguments, &text, error);
    if (fine) {
        pods->text = strdup(text.text);
        fine = (pods->text != NULL && read_lines(pods)) ||
               error_set(error, ERROR_EXHAUSTED, "no memory for the names of the pods");
    }
    strbuf_done(&text);
    if (!fine)
        pods_done(pods);
    return fine;
}

void pods_done(struct pods *pods)
{
    free(pods->list);
    free(pods->text);
    *pods = (struct pods){.text = NULL};
}

static const struct pod_name *find(const struct pods *pods, const char *ip)
{
    struct pod_name wanted = {.ip = ip};
    return pods->count > 0 ? bsearch(&wanted, pods->list, pods->count, sizeof wanted, compare) : NULL;
}

static void name_end(const struct pods *pods, Endpoint *end)
{
    if (end == NULL || end->name_value_case == NETSCOPE__V1__ENDPOINT__NAME_VALUE_NAME)
        return;
    const struct pod_name *found = find(pods, end->ip);
    char *name = found != NULL ? strdup(found->name) : NULL,
         *namespace = found != NULL ? strdup(found->namespace) : NULL;
    if (name == NULL || namespace == NULL ||
        end->namespace_value_case == NETSCOPE__V1__ENDPOINT__NAMESPACE_VALUE_NAMESPACE) {
        free(name);
        free(namespace);
        return;
    }
    end->name_value_case = NETSCOPE__V1__ENDPOINT__NAME_VALUE_NAME;
    end->name = name;
    end->namespace_value_case = NETSCOPE__V1__ENDPOINT__NAMESPACE_VALUE_NAMESPACE;
    end->namespace_ = namespace;
}

static void name_party(const struct pods *pods, Party *party)
{
    Endpoint end;
    netscope__v1__endpoint__init(&end);
    if (party->name_value_case == NETSCOPE__V1__ALERT_PARTY__NAME_VALUE_NAME ||
        party->namespace_value_case == NETSCOPE__V1__ALERT_PARTY__NAMESPACE_VALUE_NAMESPACE)
        return;
    end.ip = party->ip;
    name_end(pods, &end);
    if (end.name_value_case != NETSCOPE__V1__ENDPOINT__NAME_VALUE_NAME)
        return;
    party->name_value_case = NETSCOPE__V1__ALERT_PARTY__NAME_VALUE_NAME;
    party->name = end.name;
    party->namespace_value_case = NETSCOPE__V1__ALERT_PARTY__NAMESPACE_VALUE_NAMESPACE;
    party->namespace_ = end.namespace_;
}

void pods_name_flow(const struct pods *pods, struct Netscope__V1__Flow *flow)
{
    name_end(pods, flow->endpoint_a);
    name_end(pods, flow->endpoint_b);
}

void pods_name_alert(const struct pods *pods, struct Netscope__V1__Alert *alert)
{
    for (size_t i = 0; i < alert->n_sources; i++)
        name_party(pods, alert->sources[i]);
    for (size_t i = 0; i < alert->n_targets; i++)
        name_party(pods, alert->targets[i]);
    for (size_t i = 0; i < alert->n_sample_flows; i++) {
        name_end(pods, alert->sample_flows[i]->client);
        name_end(pods, alert->sample_flows[i]->server);
    }
}
