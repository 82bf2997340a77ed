// Filters of any bytes, and page tokens: whatever passes the check can be prepared and evaluated, and a token that is
// taken is written as it came.
#include <stdlib.h>
#include <string.h>

#include "flow/filter.h"
#include "flow/listing_token.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

// The next bytes of the input; zeros behind its end.
struct input {
    const uint8_t *bytes;
    size_t left;
};

static void take(struct input *input, void *into, size_t size)
{
    size_t given = size < input->left ? size : input->left;
    memset(into, 0, size);
    if (given > 0)
        memcpy(into, input->bytes, given);
    input->bytes += given;
    input->left -= given;
}

static unsigned take_count(struct input *input, unsigned most)
{
    uint8_t byte;
    take(input, &byte, 1);
    return byte % (most + 1);
}

enum { SOME = 4, NAME_BYTES = 260 };

// A filter with what it borrows.
struct made {
    struct flow_filter filter;
    struct prefix prefixes[FILTER_ROLES + 1][SOME];
    struct filter_ports ports[FILTER_ROLES][SOME];
    uint32_t numbers[FILTER_FIELDS][SOME];
    char texts[SOME][NAME_BYTES], community[40];
    struct filter_name names[SOME];
    const char *community_id;
};

static void make_ends(struct input *input, struct made *made)
{
    for (int role = 0; role < FILTER_ROLES; role++) {
        struct filter_end *end = &made->filter.end[role];
        end->networks = (struct filter_prefixes){made->prefixes[role], take_count(input, SOME)};
        end->ports = made->ports[role];
        end->port_count = take_count(input, SOME);
        take(input, made->prefixes[role], end->networks.count * sizeof(struct prefix));
        take(input, made->ports[role], end->port_count * sizeof(struct filter_ports));
    }
}

static void make_names(struct input *input, struct made *made)
{
    made->filter.names = made->names;
    made->filter.name_count = take_count(input, SOME);
    for (unsigned i = 0; i < made->filter.name_count; i++) {
        take(input, made->texts[i], take_count(input, NAME_BYTES - 1));
        made->names[i] = (struct filter_name){made->texts[i], take_count(input, 1) == 1};
    }
    made->filter.named = (struct filter_prefixes){made->prefixes[FILTER_ROLES], take_count(input, SOME)};
    take(input, made->prefixes[FILTER_ROLES], made->filter.named.count * sizeof(struct prefix));
    made->community_id = made->community;
    made->filter.community_ids = &made->community_id;
    made->filter.community_id_count = take_count(input, 1);
    if (made->filter.community_id_count > 0)
        take(input, made->community, sizeof made->community - 1);
}

static void make_filter(struct input *input, struct made *made)
{
    memset(made, 0, sizeof *made);
    make_ends(input, made);
    for (int field = 0; field < FILTER_FIELDS; field++) {
        made->filter.field[field] = (struct filter_numbers){made->numbers[field], take_count(input, SOME)};
        take(input, made->numbers[field], made->filter.field[field].count * sizeof(uint32_t));
    }
    for (int figure = 0; figure < FILTER_FIGURES; figure++) {
        struct filter_range *range = &made->filter.figure[figure];
        range->has_min = take_count(input, 1) == 1;
        range->has_max = take_count(input, 1) == 1;
        take(input, &range->min, range->has_min * sizeof range->min);
        take(input, &range->max, range->has_max * sizeof range->max);
    }
    make_names(input, made);
}

static void make_record(struct input *input, struct flow_record *record, struct flow_names *names, char *sni)
{
    memset(record, 0, sizeof *record);
    *names = flow_names_none;
    for (int side = 0; side < 2; side++) {
        record->endpoint[side].address.version = take_count(input, 1) == 0 ? 4 : 6;
        take(input, record->endpoint[side].address.bytes, 16);
        take(input, &record->endpoint[side].port, 2);
    }
    take(input, &record->protocol, 1);
    take(input, record->bytes, sizeof record->bytes);
    take(input, &record->first_seen_ns, sizeof record->first_seen_ns);
    take(input, &record->last_seen_ns, sizeof record->last_seen_ns);
    take(input, sni, take_count(input, NAME_BYTES - 1));
    record->client = (int8_t)((int)take_count(input, 2) - 1);
    names->text[FLOW_TEXT_SNI] = sni;
    record->names = names;
}

static void try_token(const uint8_t *bytes, size_t size)
{
    char text[FLOW_TOKEN_TEXT_BYTES + 2] = {0}, again[FLOW_TOKEN_TEXT_BYTES];
    struct flow_token token;
    memcpy(text, bytes, size < sizeof text - 1 ? size : sizeof text - 1);
    if (flow_token_parse(text, &token))
        require(strcmp(flow_token_format(&token, again), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct made made[2];
    struct input input = {bytes, size};
    struct flow_filter filters[2];
    struct flow_record record;
    struct flow_names names;
    char sni[NAME_BYTES] = {0};
    struct error error;
    try_token(bytes, size);
    unsigned allow = take_count(&input, 1), deny = take_count(&input, 1);
    for (unsigned i = 0; i < allow + deny; i++) {
        make_filter(&input, &made[i]);
        filters[i] = made[i].filter;
    }
    make_record(&input, &record, &names, sni);
    struct flow_filters lists = {
        .allow = filters, .deny = filters + allow, .allow_count = allow, .deny_count = deny};
    bool good = flow_filter_check(&lists, &error);
    struct flow_selection *selection = flow_filter_prepare(&lists, &error);
    require(good == (selection != NULL));
    require(good || (error.kind == ERROR_INVALID_ARGUMENT && error.text[0] != '\0'));
    flow_selection_fits(selection, &record);
    flow_selection_release(selection);
    return 0;
}
