#include "aggregate/namer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { // as Direction and NameSource in flow.proto
    DIRECTION_INBOUND = 1,
    DIRECTION_OUTBOUND,
    DIRECTION_INTERNAL,
    DIRECTION_TRANSIT,
    NAMED_BY_FILE = 1,
    NAMED_BY_DNS,
};

bool namer_init(struct namer *namer, const struct namer_setup *setup, struct error *error)
{
    *namer = (struct namer){.node = setup->node, .source = setup->source};
    namer->cache = name_cache_create(setup->entries, setup->hash_seed);
    if (namer->cache == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the names of addresses");
    bool watching = !setup->source->ops->lossless;
    namer->loader = name_loader_create(setup->settings, watching, error);
    if (namer->loader == NULL)
        return false;
    namer_refresh(namer);
    return true;
}

void namer_done(struct namer *namer)
{
    name_cache_destroy(namer->cache);
    naming_destroy(namer->naming);
    name_loader_destroy(namer->loader);
}

void namer_refresh(struct namer *namer)
{
    namer->naming = name_loader_take(namer->loader, namer->naming);
}

void namer_learn(struct namer *namer, const struct dns_transaction *transaction)
{
    assert(transaction->addresses <= sizeof transaction->answer / sizeof transaction->answer[0]);
    for (unsigned i = 0; i < transaction->addresses; i++)
        name_cache_put(namer->cache, &transaction->answer[i].address, transaction->name.text);
}

static bool lies_inside(const struct namer *namer, const struct address *address)
{
    return naming_is_local(namer->naming, address) || address_stays_inside(address);
}

static uint8_t direction_of(const struct namer *namer, const struct flow_record *record)
{
    int client = record->client == 1;
    bool client_local = lies_inside(namer, &record->endpoint[client].address);
    bool server_local = lies_inside(namer, &record->endpoint[!client].address);
    if (client_local)
        return server_local ? DIRECTION_INTERNAL : DIRECTION_OUTBOUND;
    return server_local ? DIRECTION_INBOUND : DIRECTION_TRANSIT;
}

// Of an address: where its name comes from, 0 = it has none; then the texts are NULL.
static uint8_t name_of(const struct namer *namer, const struct address *address, const char **name,
                       const char **name_space)
{
    const struct name_row *row = naming_get(namer->naming, address);
    *name = row != NULL ? row->name : name_cache_get(namer->cache, address);
    *name_space = row != NULL ? row->name_space : NULL;
    if (row != NULL)
        return NAMED_BY_FILE;
    return *name != NULL ? NAMED_BY_DNS : 0;
}

static void name_side(const struct namer *namer, struct flow_event *event, int side)
{
    event->name_source[side] =
        name_of(namer, &event->record.endpoint[side].address, &event->text[EVENT_TEXT_NAME + side],
                &event->text[EVENT_TEXT_NAMESPACE + side]);
}

static void name_party(const struct namer *namer, const struct alert_party *party, struct alert_name *into)
{
    const char *name, *name_space;
    into->name_source = name_of(namer, &party->endpoint.address, &name, &name_space);
    snprintf(into->name, sizeof into->name, "%s", name != NULL ? name : "");
    snprintf(into->name_space, sizeof into->name_space, "%s", name_space != NULL ? name_space : "");
}

void namer_name_alert(const struct namer *namer, struct alert_event *event)
{
    const struct alert *alert = &event->alert;
    assert(alert->source_count <= ALERT_PARTIES && alert->target_count <= ALERT_PARTIES);
    for (unsigned i = 0; i < alert->source_count; i++)
        name_party(namer, &alert->source[i], &event->source_name[i]);
    for (unsigned i = 0; i < alert->target_count; i++)
        name_party(namer, &alert->target[i], &event->target_name[i]);
}

static void place(struct namer *namer, struct flow_event *event)
{
    const struct flow_record *record = &event->record;
    event->direction = direction_of(namer, record);
    event->text[EVENT_TEXT_NODE] = namer->node;
    event->text[EVENT_TEXT_INTERFACE] =
        sink_interface_name(namer->source, record->interface, namer->interface[0]);
    for (unsigned i = 0; i < record->observed; i++)
        event->text[EVENT_TEXT_OBSERVED + i] =
            sink_interface_name(namer->source, record->observed_at[i], namer->interface[1 + i]);
}

void namer_name_record(struct namer *namer, const struct flow_record *record, struct flow_event *event)
{
    assert(record->observed <= OBSERVED_INTERFACES);
    memmove(&event->record, record, sizeof *record); // gcc copies by a slow instruction, memmove() does not
    event->name_source[0] = event->name_source[1] = 0;
    event->community_id[0] = '\0';
    memset(event->text, 0, sizeof event->text);
    if (record->names != NULL)
        memcpy(event->text, record->names->text, sizeof record->names->text);
    place(namer, event);
    name_side(namer, event, 0);
    name_side(namer, event, 1);
}

static const struct name_row *file_rows(const struct namer *namer, size_t *count)
{
    *count = 0;
    const struct name_file *file = namer->naming != NULL ? namer->naming->file : NULL;
    return file != NULL ? name_file_rows(file, count) : NULL;
}

size_t namer_places(const struct namer *namer, const void **naming)
{
    size_t rows;
    file_rows(namer, &rows);
    *naming = namer->naming;
    return rows + name_cache_places(namer->cache);
}

const struct name_row *namer_row_at(const struct namer *namer, size_t place, const struct name_row **outer)
{
    size_t rows;
    const struct name_row *row = file_rows(namer, &rows);
    if (place >= rows || !name_file_heeds(namer->naming->file, &row[place]))
        return NULL;
    *outer = name_file_outer(namer->naming->file, &row[place]);
    return &row[place];
}

const char *namer_name_at(const struct namer *namer, size_t place, struct prefix *prefix)
{
    size_t rows;
    const struct name_row *row = file_rows(namer, &rows);
    if (place >= rows)
        return name_cache_at(namer->cache, place - rows, prefix);
    *prefix = row[place].prefix;
    return row[place].name;
}
