// What the files of the client share. gRPC's types stay incomplete here: its headers are for sources only.
#pragma once

struct grpc_completion_queue;
struct grpc_channel;

struct client {
    struct grpc_completion_queue *queue;
    char *user_agent;
    unsigned channels;
};

struct client_channel {
    struct client *client;
    struct grpc_channel *channel;
    char *authorization; // "Bearer ..."; NULL = none
    unsigned calls;
};
