#include "ctl/source.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/strbuf.h"
#include "ctl/child.h"

enum { PLACES_MOST = 10000, PODS_BYTES = 8 << 20 };

#define USUAL_SELECTOR "app.kubernetes.io/name=netscope"

void places_done(struct places *places)
{
    for (unsigned i = 0; i < places->count; i++) {
        free(places->list[i].label);
        free(places->list[i].address);
        free(places->list[i].tls_name);
    }
    free(places->list);
    *places = (struct places){.list = NULL};
}

static bool add_place(struct places *places, const char *label, const char *address, const char *tls_name)
{
    if (places->count == places->room) {
        unsigned room = places->room > 0 ? 2 * places->room : 8;
        struct place *list = places->count < PLACES_MOST ? realloc(places->list, room * sizeof *list) : NULL;
        if (list == NULL)
            return false;
        places->list = list;
        places->room = room;
    }
    places->list[places->count++] =
        (struct place){strdup(label), strdup(address), tls_name != NULL ? strdup(tls_name) : NULL};
    const struct place *place = &places->list[places->count - 1];
    return place->label != NULL && place->address != NULL;
}

static bool add_addresses(struct places *into, const struct addrinfo *found, const char *port,
                          const char *name)
{
    for (; found != NULL; found = found->ai_next) {
        char host[NI_MAXHOST], address[NI_MAXHOST + 16];
        if (getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        bool brackets = strchr(host, ':') != NULL;
        snprintf(address, sizeof address, "%s%s%s:%s", brackets ? "[" : "", host, brackets ? "]" : "", port);
        if (!add_place(into, address, address, name))
            return false;
    }
    return true;
}

static bool look_up(const char *address, struct places *into, struct error *error)
{
    char name[NI_MAXHOST];
    const char *host = address + strlen("dns:///"), *port = strrchr(host, ':') + 1;
    struct addrinfo *found = NULL, hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    snprintf(name, sizeof name, "%.*s", (int)(port - 1 - host), host);
    int failure = getaddrinfo(name, NULL, &hints, &found);
    if (failure != 0)
        return error_set(error, ERROR_UNAVAILABLE, "the name %s has no address: %s", name,
                         gai_strerror(failure));
    bool fine = add_addresses(into, found, port, name);
    freeaddrinfo(found);
    return fine || error_set(error, ERROR_EXHAUSTED, "the name %s has too many addresses", name);
}

// "namespace name node" a line.
static bool add_pods(struct places *into, char *lines)
{
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char namespace[256], name[256], node[256] = "", label[600], address[600];
        if (sscanf(line, "%255s %255s %255s", namespace, name, node) < 2)
            continue;
        snprintf(label, sizeof label, "%s%s%s", name, node[0] != '\0' ? " on " : "", node);
        snprintf(address, sizeof address, "pod:%s/%s", namespace, name);
        if (!add_place(into, label, address, NULL))
            return false;
    }
    return true;
}

static bool list_pods(const struct source *source, struct places *into, struct error *error)
{
    struct strbuf pods;
    const char *selector = source->selector != NULL ? source->selector : USUAL_SELECTOR;
    const char *const arguments[] = {
        "kubectl",
        "get",
        "pods",
        "-l",
        selector,
        "-o",
        "jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name} {.spec.nodeName}{\"\\n\"}{end}",
        source->namespace != NULL ? "-n" : NULL,
        source->namespace,
        NULL};
    strbuf_init(&pods, PODS_BYTES);
    bool fine = child_run(arguments, &pods, error);
    if (fine && !add_pods(into, pods.text))
        fine = error_set(error, ERROR_EXHAUSTED, "there are more than %d pods", PLACES_MOST);
    strbuf_done(&pods);
    if (fine && into->count == 0)
        fine = error_set(error, ERROR_UNAVAILABLE,
                         "no pod has the labels %s%s%s: give --kube-namespace, or other labels by --selector",
                         selector, source->namespace != NULL ? " in the namespace " : "",
                         source->namespace != NULL ? source->namespace : "");
    return fine;
}

bool source_look(const struct source *source, struct places *into, struct error *error)
{
    bool fine = false;
    *into = (struct places){.list = NULL};
    switch (source->kind) {
    case SOURCE_ADDRESS:
        fine = add_place(into, source->address, source->address, NULL) ||
               error_set(error, ERROR_EXHAUSTED, "no memory for an address");
        break;
    case SOURCE_DNS:
        fine = look_up(source->address, into, error);
        break;
    case SOURCE_KUBE:
        fine = list_pods(source, into, error);
        break;
    }
    if (!fine)
        places_done(into);
    return fine;
}

bool place_is_pod(const char *address, char namespace[256], char name[256])
{
    return sscanf(address, "pod:%255[^/]/%255s", namespace, name) == 2;
}
