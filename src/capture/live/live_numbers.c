#include "capture/live/live_numbers.h"

#include <assert.h>
#include <string.h>

#include "base/time.h"

static const int64_t rest_ns = 3600 * NS_PER_S;
static const char shared_word[] = "(other)";

void live_numbers_init(struct live_numbers *numbers)
{
    numbers->rest_ns = rest_ns;
}

void live_numbers_done(struct live_numbers *numbers)
{
    interface_list_done(&numbers->rows);
}

static bool find_word(const struct live_numbers *numbers, const char *word, uint16_t *number)
{
    unsigned count = interface_list_count(&numbers->rows);
    for (unsigned i = 0; i < count; i++) {
        const struct source_interface *row = &interface_list_row(&numbers->rows, i)->shown;
        if (row->word != i || strcmp(row->name, word) != 0)
            continue;
        *number = (uint16_t)i;
        return true;
    }
    return false;
}

// Makes a row that stands for the word of the interface.
static bool add_word(struct live_numbers *numbers, const struct source_interface *interface, uint16_t *number)
{
    unsigned count = interface_list_count(&numbers->rows);
    struct source_interface named = {
        .word = (uint16_t)count, .link_type = interface->link_type, .snaplen = interface->snaplen};
    assert(numbers->words < LIVE_WORDS_MAX);
    memcpy(named.name, interface->configured, sizeof named.name);
    memcpy(named.configured, interface->configured, sizeof named.configured);
    if (!interface_list_add(&numbers->rows, &named, number) || *number != count)
        return false;
    atomic_store(&interface_list_row(&numbers->rows, *number)->shown.up, false); // until an interface is
    numbers->words++;
    return true;
}

// The number of the interface's word, or of the one that is shared.
static bool take_word(struct live_numbers *numbers, struct source_interface *interface, struct error *error)
{
    if (find_word(numbers, interface->configured, &interface->word))
        return true;
    if (numbers->words >= LIVE_WORDS_MAX - 1) {
        memcpy(interface->configured, shared_word, sizeof shared_word);
        if (find_word(numbers, shared_word, &interface->word))
            return true;
    }
    return add_word(numbers, interface, &interface->word) ||
           error_set(error, ERROR_EXHAUSTED, "%s cannot be captured: no memory", interface->name);
}

// Room for the words that may still come is never taken.
static bool has_room(const struct live_numbers *numbers)
{
    return interface_list_count(&numbers->rows) + (LIVE_WORDS_MAX - numbers->words) < SOURCE_INTERFACES_MAX;
}

bool live_numbers_take(struct live_numbers *numbers, struct source_interface *interface, int64_t now_ns,
                       uint16_t *number, struct error *error)
{
    struct interface_list *rows = &numbers->rows;
    if (!take_word(numbers, interface, error))
        return false;
    *number = interface->word;
    if (interface_list_find(rows, interface, number))
        return true;
    if (has_room(numbers))
        return interface_list_add(rows, interface, number);
    if (!interface_list_reuse(rows, interface, now_ns - numbers->rest_ns, number))
        *number = interface->word;
    return true;
}

void live_numbers_leave(struct live_numbers *numbers, uint16_t number, int64_t now_ns)
{
    if (interface_list_row(&numbers->rows, number)->shown.word != number)
        interface_list_leave(&numbers->rows, number, now_ns);
}
