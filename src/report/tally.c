#include "report/tally.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_ROOM = 64 };

void tally_init(struct tally *tally, size_t capacity)
{
    *tally = (struct tally){.capacity = capacity};
}

static void row_destroy(struct tally_row *row)
{
    if (row != NULL)
        free(row->label);
    free(row);
}

void tally_done(struct tally *tally)
{
    for (size_t i = 0; i < tally->room; i++)
        row_destroy(tally->places[i]);
    free(tally->places);
    tally_init(tally, tally->capacity);
}

// Where the key is or would go. The seed is where the table lies, which nobody outside can know; no result
// depends on it.
static struct tally_row **place_of(const struct tally *tally, const void *key, size_t length)
{
    size_t at = (size_t)hash_bytes(key, length, (uint64_t)(uintptr_t)tally);
    for (;; at++) {
        struct tally_row **place = &tally->places[at & (tally->room - 1)];
        if (*place == NULL || ((*place)->key_length == length && memcmp((*place)->key, key, length) == 0))
            return place;
    }
}

static bool resize(struct tally *tally, size_t room)
{
    struct tally_row **old = tally->places;
    size_t old_room = tally->room;
    struct tally_row **places = calloc(room, sizeof(struct tally_row *));
    if (places == NULL)
        return false;
    tally->places = places;
    tally->room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i] != NULL)
            *place_of(tally, old[i]->key, old[i]->key_length) = old[i];
    free(old);
    return true;
}

static int compare_rows(const void *left, const void *right)
{
    const struct tally_row *a = *(struct tally_row *const *)left, *b = *(struct tally_row *const *)right;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    size_t shorter = a->key_length < b->key_length ? a->key_length : b->key_length;
    int order = memcmp(a->key, b->key, shorter);
    return order != 0 ? order : (int)a->key_length - (int)b->key_length;
}

unsigned tally_sort(struct tally *tally, unsigned most)
{
    size_t kept = 0;
    for (size_t i = 0; i < tally->room; i++) {
        struct tally_row *row = tally->places[i];
        tally->places[i] = NULL;
        if (row != NULL)
            tally->places[kept++] = row;
    }
    if (kept > 0)
        qsort(tally->places, kept, sizeof(struct tally_row *), compare_rows);
    assert(kept == tally->count);
    return kept < most ? (unsigned)kept : most;
}

static bool give_up_half(struct tally *tally)
{
    tally_sort(tally, 0);
    for (size_t i = tally->count / 2; i < tally->count; i++) {
        row_destroy(tally->places[i]);
        tally->places[i] = NULL;
    }
    tally->given_up += tally->count - tally->count / 2;
    tally->count /= 2;
    return resize(tally, tally->room);
}

static bool make_room(struct tally *tally)
{
    if (tally->count >= tally->capacity)
        return give_up_half(tally);
    if (tally->room == 0)
        return resize(tally, FIRST_ROOM);
    return tally->count < tally->room / 2 || resize(tally, tally->room * 2);
}

struct tally_row *tally_at(struct tally *tally, const void *key, size_t length)
{
    assert(length <= TALLY_KEY_MAXIMUM);
    if (tally->room > 0) {
        struct tally_row *known = *place_of(tally, key, length);
        if (known != NULL)
            return known;
    }
    struct tally_row *row = calloc(1, sizeof *row + length + 1);
    if (row == NULL || !make_room(tally)) {
        free(row);
        return NULL;
    }
    row->key_length = (uint16_t)length;
    memcpy(row->key, key, length);
    *place_of(tally, key, length) = row;
    tally->count++;
    return row;
}

void tally_label(struct tally_row *row, const char *label)
{
    if (row->label == NULL && label != NULL && label[0] != '\0')
        row->label = strdup(label);
}

void *tally_list(struct tally *tally, unsigned most, tally_fill *fill, size_t element_bytes, unsigned *count)
{
    unsigned shown = tally_sort(tally, most);
    char *list = calloc((size_t)shown + 1, element_bytes);
    *count = list != NULL ? shown : 0;
    for (unsigned i = 0; i < *count; i++)
        fill(list + i * element_bytes, tally->places[i]);
    return list;
}
