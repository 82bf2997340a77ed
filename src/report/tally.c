#include "report/tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "report/tally_first.h"

enum { FIRST_ROOM = 64, FIRST_ROWS = 32, FIRST_LABELS = 16, WORD_BYTES = 8 };

// A key that does not fit into its row.
struct far_key {
    uint16_t length;
    uint8_t bytes[];
};

void tally_init(struct tally *tally, size_t capacity)
{
    assert(capacity >= 2 && capacity < UINT32_MAX);
    *tally = (struct tally){.capacity = capacity};
    if (getrandom(&tally->seed, sizeof tally->seed, GRND_NONBLOCK) != (ssize_t)sizeof tally->seed)
        tally->seed = (uint64_t)(uintptr_t)tally; // no result depends on it
}

static struct far_key *far_key(const struct tally_row *row)
{
    struct far_key *key;
    memcpy(&key, row->near, sizeof key);
    return key;
}

static void row_done(struct tally *tally, const struct tally_row *row)
{
    if (row->near_length == 0)
        free(far_key(row));
    if (row->label != 0) {
        free(tally->labels[row->label]);
        tally->labels[row->label] = NULL;
    }
}

void tally_done(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        row_done(tally, &tally->rows[i]);
    free(tally->places);
    free(tally->rows);
    free(tally->labels);
    *tally = (struct tally){.capacity = tally->capacity};
}

uint64_t tally_hash(const struct tally *tally, const void *key, size_t length)
{
    return hash_bytes(key, length, tally->seed);
}

const uint8_t *tally_key(const struct tally_row *row, size_t *length)
{
    *length = row->near_length != 0 ? row->near_length : far_key(row)->length;
    return row->near_length != 0 ? row->near : far_key(row)->bytes;
}

static bool same_word(const uint8_t *left, const uint8_t *right)
{
    return memcmp(left, right, WORD_BYTES) == 0;
}

// Keys are short: a call would cost more than the words, of which the last ones may overlap.
static bool same_bytes(const uint8_t *left, const uint8_t *right, size_t length)
{
    if (length < WORD_BYTES / 2) {
        while (length > 0 && left[length - 1] == right[length - 1])
            length--;
        return length == 0;
    }
    if (length < WORD_BYTES)
        return memcmp(left, right, WORD_BYTES / 2) == 0 &&
               memcmp(left + length - WORD_BYTES / 2, right + length - WORD_BYTES / 2, WORD_BYTES / 2) == 0;
    size_t last = length - WORD_BYTES;
    for (size_t at = 0; at < last; at += WORD_BYTES)
        if (!same_word(left + at, right + at))
            return false;
    return same_word(left + last, right + last);
}

static bool has_key(const struct tally_row *row, const void *key, size_t length)
{
    size_t own_length;
    const uint8_t *own = tally_key(row, &own_length);
    return own_length == length && same_bytes(own, key, length);
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

// Where the key is or would go.
static struct tally_place *place_of(const struct tally *tally, uint64_t hash, const void *key, size_t length)
{
    assert(tally->count < tally->room); // a place is free, so the search ends
    for (size_t at = tag_of(hash);; at++) {
        struct tally_place *place = &tally->places[at & (tally->room - 1)];
        if (place->row == 0 ||
            (place->tag == tag_of(hash) && has_key(&tally->rows[place->row - 1], key, length)))
            return place;
    }
}

static void set_place(struct tally_place *places, size_t room, struct tally_place place)
{
    size_t at = place.tag;
    while (places[at & (room - 1)].row != 0)
        at++;
    places[at & (room - 1)] = place;
}

// The places in use, at the front, with the numbers that their rows have now; returns how many.
static size_t gather_places(struct tally *tally, const uint32_t *numbers)
{
    size_t count = 0;
    for (size_t at = 0; at < tally->room; at++) {
        struct tally_place place = tally->places[at];
        if (numbers != NULL)
            place.row = numbers[place.row];
        tally->places[count] = place;
        count += place.row != 0;
    }
    return count;
}

// Other places, which are free, for all rows, without a look at these. `numbers` says what each row's is now, 0 = none;
// NULL = the same.
static void move_to_places(struct tally *tally, struct tally_place *places, size_t room,
                           const uint32_t *numbers)
{
    assert((room & (room - 1)) == 0 && tally->count < room);
    size_t count = gather_places(tally, numbers);
    assert(count == tally->count);
    for (size_t i = 0; i < count; i++)
        set_place(places, room, tally->places[i]);
    free(tally->places);
    tally->places = places;
    tally->room = room;
}

static bool resize(struct tally *tally, size_t room)
{
    struct tally_place *places = calloc(room, sizeof *places);
    if (places != NULL)
        move_to_places(tally, places, room, NULL);
    return places != NULL;
}

static int compare_keys(const struct tally_row *left, const struct tally_row *right)
{
    size_t left_length, right_length;
    const uint8_t *left_key = tally_key(left, &left_length), *right_key = tally_key(right, &right_length);
    int order = memcmp(left_key, right_key, left_length < right_length ? left_length : right_length);
    return order != 0 ? order : (int)left_length - (int)right_length;
}

// Whether a row stands before another one: heavier, or as heavy with the lesser key.
static bool stands_before(const struct tally_row *left, const struct tally_row *right)
{
    return left->weight != right->weight ? left->weight > right->weight : compare_keys(left, right) < 0;
}

// The labels of the rows that are left move to the front.
static void close_up_labels(struct tally *tally)
{
    char **labels = calloc(tally->label_room + 1, sizeof(char *));
    if (labels == NULL)
        return;
    size_t count = 1;
    for (size_t i = 0; i < tally->count; i++) {
        if (tally->rows[i].label == 0)
            continue;
        labels[count] = tally->labels[tally->rows[i].label];
        tally->rows[i].label = (uint32_t)count++;
    }
    free(tally->labels);
    tally->labels = labels;
    tally->label_count = count;
}

// Of the rows that stay, those behind the first `kept` fill the gaps between these. `stays` becomes their numbers + 1.
static void close_up_rows(struct tally *tally, size_t kept, uint32_t *stays)
{
    size_t gap = 0;
    assert(kept <= tally->count);
    for (size_t i = 0; i < tally->count; i++)
        if (stays[i] == 0)
            row_done(tally, &tally->rows[i]);
    for (size_t i = kept; i < tally->count; i++) {
        if (stays[i] == 0)
            continue;
        while (stays[gap] != 0)
            gap++;
        assert(gap < kept);
        tally->rows[gap++] = tally->rows[i];
        stays[i] = (uint32_t)gap;
    }
    for (size_t i = 0; i < kept; i++)
        stays[i] = stays[i] != 0 ? (uint32_t)i + 1 : 0;
    tally->given_up += tally->count - kept;
    tally->count = kept;
}

static bool give_up_half(struct tally *tally)
{
    size_t kept = tally->count / 2;
    uint32_t *numbers = calloc(tally->count + 1, sizeof *numbers);    // [0] is that of a free place
    struct tally_place *places = calloc(tally->room, sizeof *places); // before anything is given up
    bool able =
        numbers != NULL && places != NULL && tally_mark_first(tally->rows, tally->count, kept, numbers + 1);
    if (able) {
        close_up_rows(tally, kept, numbers + 1);
        close_up_labels(tally);
        move_to_places(tally, places, tally->room, numbers);
    } else {
        free(places);
    }
    free(numbers);
    return able;
}

static bool widen_rows(struct tally *tally)
{
    size_t room = tally->row_room > 0 ? tally->row_room * 2 : FIRST_ROWS;
    struct tally_row *rows = aligned_alloc(sizeof *rows, room * sizeof *rows);
    if (rows == NULL)
        return false;
    if (tally->count > 0)
        memcpy(rows, tally->rows, tally->count * sizeof *rows);
    free(tally->rows);
    tally->rows = rows;
    tally->row_room = room;
    return true;
}

static bool make_room(struct tally *tally)
{
    if (tally->count >= tally->capacity)
        return give_up_half(tally);
    if (tally->count == tally->row_room && !widen_rows(tally))
        return false;
    if (tally->room == 0)
        return resize(tally, FIRST_ROOM);
    return tally->count < tally->room / 2 || resize(tally, tally->room * 2);
}

static bool set_key(struct tally_row *row, const void *key, size_t length)
{
    *row = (struct tally_row){0};
    if (length <= TALLY_NEAR_BYTES) {
        memcpy(row->near, key, length);
        row->near_length = (uint8_t)length;
        return true;
    }
    struct far_key *far = malloc(sizeof *far + length);
    if (far == NULL)
        return false;
    far->length = (uint16_t)length;
    memcpy(far->bytes, key, length);
    memcpy(row->near, &far, sizeof far);
    return true;
}

static bool has_room(const struct tally *tally)
{
    return tally->count < tally->capacity && tally->count < tally->row_room && tally->count < tally->room / 2;
}

struct tally_row *tally_at(struct tally *tally, uint64_t hash, const void *key, size_t length)
{
    assert(length > 0 && length <= TALLY_KEY_MAXIMUM);
    struct tally_place *place = tally->room > 0 ? place_of(tally, hash, key, length) : NULL;
    if (place != NULL && place->row != 0)
        return &tally->rows[place->row - 1];
    if (!has_room(tally)) {
        if (!make_room(tally))
            return NULL;
        place = place_of(tally, hash, key, length);
    }
    if (!set_key(&tally->rows[tally->count], key, length))
        return NULL;
    *place = (struct tally_place){.tag = tag_of(hash), .row = (uint32_t)++tally->count};
    return &tally->rows[tally->count - 1];
}

void tally_label(struct tally *tally, struct tally_row *row, const char *label)
{
    if (row->label != 0 || label[0] == '\0')
        return;
    if (tally->label_count >= tally->label_room) {
        size_t room = tally->label_room > 0 ? tally->label_room * 2 : FIRST_LABELS;
        char **labels = reallocarray(tally->labels, room, sizeof(char *));
        if (labels == NULL)
            return;
        tally->labels = labels;
        tally->label_room = room;
    }
    if (tally->label_count == 0)
        tally->labels[tally->label_count++] = NULL;
    assert(tally->label_count < tally->label_room);
    tally->labels[tally->label_count] = strdup(label);
    row->label = tally->labels[tally->label_count] != NULL ? (uint32_t)tally->label_count++ : 0;
}

const char *tally_label_of(const struct tally *tally, const struct tally_row *row)
{
    assert(row->label == 0 || row->label < tally->label_count);
    return row->label != 0 ? tally->labels[row->label] : NULL;
}

size_t tally_heaviest(const struct tally *tally, const struct tally_row **rows, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < tally->count && most > 0; i++) {
        const struct tally_row *row = &tally->rows[i];
        if (count == most && !stands_before(row, rows[count - 1]))
            continue;
        size_t at = count < most ? count++ : count - 1;
        for (; at > 0 && stands_before(row, rows[at - 1]); at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
    return count;
}

void *tally_list(const struct tally *tally, size_t most, size_t bytes, tally_fill *fill, unsigned *count)
{
    const struct tally_row **rows = calloc(most + 1, sizeof(struct tally_row *));
    char *list = calloc(most + 1, bytes);
    *count = 0;
    if (rows != NULL && list != NULL)
        *count = (unsigned)tally_heaviest(tally, rows, most);
    for (unsigned i = 0; i < *count; i++)
        fill(tally, rows[i], list + i * bytes);
    bool whole = rows != NULL;
    free(rows);
    if (whole)
        return list;
    free(list);
    return NULL;
}
