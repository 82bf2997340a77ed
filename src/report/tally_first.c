#include "report/tally_first.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 8, LAST_LEVEL = TALLY_KEY_MAXIMUM / WORD_BYTES + 1 };
enum { DIGIT_BITS = 8, DIGIT_VALUES = 1 << DIGIT_BITS };

// A row with what it is ordered by at two levels in a row, level % 2: the first two are read at once.
struct candidate {
    uint64_t value[2];
    uint32_t row;
};

// Shorter keys go on with zeros.
static uint64_t word_of_key(const struct tally_row *row, size_t begin)
{
    size_t length;
    const uint8_t *key = tally_key(row, &length);
    uint64_t word = 0;
    if (begin >= length)
        return 0;
    if (length - begin >= WORD_BYTES) {
        memcpy(&word, key + begin, WORD_BYTES);
        return be64toh(word);
    }
    for (size_t i = begin; i < length; i++)
        word = word << 8 | key[i];
    return word << 8 * (begin + WORD_BYTES - length);
}

// What orders rows that are alike at all levels before, the least first: the weight, the words of the key, its length.
static uint64_t value_at(const struct tally_row *row, unsigned level)
{
    size_t length;
    if (level == 0)
        return ~row->weight;
    if (level < LAST_LEVEL)
        return word_of_key(row, (level - 1) * (size_t)WORD_BYTES);
    tally_key(row, &length);
    return length;
}

static unsigned differing_bits(const uint64_t *values, size_t count)
{
    uint64_t differing = 0;
    for (size_t i = 1; i < count; i++)
        differing |= values[i] ^ values[0];
    return differing != 0 ? 64 - (unsigned)__builtin_clzll(differing) : 0;
}

// The value that `rank` others come before, digit by digit. What is left of the values is lost.
static uint64_t value_of_rank(uint64_t *values, size_t count, size_t rank)
{
    assert(rank < count);
    for (unsigned bits = differing_bits(values, count), shift; bits > 0; bits = shift) {
        size_t counts[DIGIT_VALUES] = {0}, kept = 0;
        shift = bits > DIGIT_BITS ? bits - DIGIT_BITS : 0;
        for (size_t i = 0; i < count; i++)
            counts[values[i] >> shift & (DIGIT_VALUES - 1)]++;
        unsigned digit = 0;
        for (; rank >= counts[digit]; digit++)
            rank -= counts[digit];
        assert(digit < DIGIT_VALUES);
        for (size_t i = 0; i < count; i++) {
            uint64_t value = values[i];
            values[kept] = value;
            kept += (value >> shift & (DIGIT_VALUES - 1)) == digit;
        }
        count = kept;
    }
    return values[0];
}

// Of the candidates, `most` are to be marked.
struct contest {
    const struct tally_row *rows;
    struct candidate *candidates;
    uint64_t *values;
    size_t count, most;
    uint32_t *stays;
};

static void evaluate(struct contest *contest, unsigned level)
{
    for (size_t i = 0; level >= 2 && i < contest->count; i++) {
        struct candidate *candidate = &contest->candidates[i];
        candidate->value[level % 2] = value_at(&contest->rows[candidate->row], level);
    }
    for (size_t i = 0; i < contest->count; i++)
        contest->values[i] = contest->candidates[i].value[level % 2];
}

// Those that come before the border are marked, those on it are the candidates of the next level.
static void part(struct contest *contest, unsigned level, uint64_t border)
{
    size_t tied = 0, marked = 0;
    for (size_t i = 0; i < contest->count; i++) {
        struct candidate candidate = contest->candidates[i];
        bool before = candidate.value[level % 2] < border;
        contest->stays[candidate.row] = before;
        marked += before;
        contest->candidates[tied] = candidate;
        tied += candidate.value[level % 2] == border;
    }
    assert(marked < contest->most && contest->most <= marked + tied);
    contest->most -= marked;
    contest->count = tied;
}

static void decide(struct contest *contest)
{
    for (unsigned level = 0; contest->count > contest->most; level++) {
        assert(level <= LAST_LEVEL); // no two keys are the same
        evaluate(contest, level);
        part(contest, level, value_of_rank(contest->values, contest->count, contest->most - 1));
    }
    for (size_t i = 0; i < contest->count; i++)
        contest->stays[contest->candidates[i].row] = 1;
}

bool tally_mark_first(const struct tally_row *rows, size_t count, size_t most, uint32_t *stays)
{
    assert(most > 0 && most <= count);
    struct contest contest = {.rows = rows, .count = count, .most = most, .stays = stays};
    contest.candidates = calloc(count, sizeof *contest.candidates);
    contest.values = calloc(count, sizeof *contest.values);
    bool whole = contest.candidates != NULL && contest.values != NULL;
    for (size_t i = 0; whole && i < count; i++)
        contest.candidates[i] =
            (struct candidate){{value_at(&rows[i], 0), value_at(&rows[i], 1)}, (uint32_t)i};
    if (whole)
        decide(&contest);
    free(contest.candidates);
    free(contest.values);
    return whole;
}
