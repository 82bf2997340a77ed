// A question that every sensor of a fleet is asked at once, in one call or, for lists, in one call a page. One thread.
#pragma once

#include "ctl/command.h"
#include "ctl/fleet.h"

struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

struct answer {
    struct server *server;
    struct ProtobufCMessage *message; // NULL: there is none, which was complained of
};

struct question {
    const char *method; // "/netscope.v1.SensorService/GetStatus"
    const struct ProtobufCMessage *request;
    const struct ProtobufCMessageDescriptor *response;
    // Of a list: takes a page, and returns the request of this server's next one, which is sent before the page goes, or
    // NULL. Without it the answers are kept.
    const struct ProtobufCMessage *(*page)(void *owner, struct server *server,
                                           struct ProtobufCMessage *response);
    // Looks at a refusal first; true: it said all there is to say.
    bool (*refused)(void *owner, struct server *server, const struct client_end *end);
    void *owner;
};

struct answers {
    struct answer *list; // in the order of the servers
    unsigned count, missing;
    enum ctl_exit exit_code;
};

// Asks and waits, complaining of servers that did not answer. Without memory there is no list.
void answers_get(struct answers *into, struct fleet *fleet, const struct question *question);
void answers_done(struct answers *answers);
