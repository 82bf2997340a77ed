#include "api/proto_json.h"

#include <assert.h>
#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>

#include "api/json.h"
#include "api/message_plan.h"
#include "api/method.h"
#include "base/strbuf.h"

struct proto_json {
    struct message_plan **plans; // in the order of the method table
};

struct proto_json *proto_json_create(void)
{
    struct proto_json *all = calloc(1, sizeof *all);
    if (all == NULL)
        return NULL;
    all->plans = calloc(method_count, sizeof(struct message_plan *));
    bool good = all->plans != NULL;
    for (unsigned i = 0; good && i < method_count; i++) {
        all->plans[i] = message_plan_create(method_table[i].response);
        good = all->plans[i] != NULL;
    }
    if (good)
        return all;
    proto_json_destroy(all);
    return NULL;
}

void proto_json_destroy(struct proto_json *all)
{
    if (all == NULL)
        return;
    for (unsigned i = 0; all->plans != NULL && i < method_count; i++)
        message_plan_destroy(all->plans[i]);
    free(all->plans);
    free(all);
}

bool proto_json_add(const struct proto_json *all, const struct method *method, const uint8_t *bytes,
                    size_t length, struct strbuf *into)
{
    assert(method >= method_table && method < method_table + method_count);
    ProtobufCMessage *message = protobuf_c_message_unpack(method->response, NULL, length, bytes);
    if (message == NULL)
        return false;
    json_add_proto(into, all->plans[method - method_table], message);
    protobuf_c_message_free_unpacked(message, NULL);
    return !into->failed;
}
