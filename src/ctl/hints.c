#include "ctl/hints.h"

#include <stdio.h>
#include <string.h>

#include "api/build.h"
#include "base/time.h"
#include "ctl/ask.h"
#include "ctl/fleet.h"
#include "ctl/invocation.h"
#include "ctl/options.h"
#include "netscope/v1/flow_service.pb-c.h"

enum { HINTS = 50 };

_Static_assert((int)HINT_VLAN == (int)NETSCOPE__V1__HINT_FIELD__HINT_FIELD_VLAN &&
                   (int)HINT_NAME == (int)NETSCOPE__V1__HINT_FIELD__HINT_FIELD_NAME,
               "the tables' numbers are the API's");

static bool say_nothing(void *owner, struct server *server, const struct client_end *end)
{
    (void)owner;
    (void)server;
    (void)end;
    return true;
}

static void ask(struct strbuf *into, struct fleet *fleet, int hint, const char *prefix)
{
    Netscope__V1__FilterHintsRequest request;
    netscope__v1__filter_hints_request__init(&request);
    struct answers answers;
    struct question question = {.method = "/netscope.v1.FlowService/FilterHints",
                                .request = &request.base,
                                .response = &netscope__v1__filter_hints_response__descriptor,
                                .refused = say_nothing};
    request.field = (Netscope__V1__HintField)hint;
    request.prefix = build_borrowed(prefix);
    request.limit = HINTS;
    answers_get(&answers, fleet, &question);
    for (unsigned i = 0; i < answers.count; i++) {
        const Netscope__V1__FilterHintsResponse *response =
            (const Netscope__V1__FilterHintsResponse *)answers.list[i].message;
        for (size_t row = 0; response != NULL && row < response->n_values; row++) {
            strbuf_add_wire(into, response->values[row]->value, strlen(response->values[row]->value));
            strbuf_add_char(into, '\n');
        }
    }
    answers_done(&answers);
}

void hints_add(struct strbuf *into, int hint, const char *prefix, char *const words[], int count)
{
    static struct invocation given;
    struct fleet fleet;
    struct error error;
    char *line[INVOCATION_ARGUMENTS + 1] = {NULL};
    // Without the option whose value is written.
    for (int i = 0; i < count - 1 && i < INVOCATION_ARGUMENTS; i++)
        line[i + 1] = words[i];
    invocation_read(&given, count, line, &error); // as far as it can be read
    if (given.command == NULL || !given_knows(&given, "server") || !fleet_open(&fleet, &given, &error))
        return;
    fleet.connection.timeout_ns = NS_PER_S;
    ask(into, &fleet, hint, prefix);
    fleet_close(&fleet);
}
