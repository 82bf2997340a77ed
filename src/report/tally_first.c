#include "report/tally_first.h"

#include <assert.h>
#include <stdlib.h>

enum { WORD_BYTES = 8, LAST_LEVEL = TALLY_KEY_MAXIMUM / WORD_BYTES + 1 };
enum { DIGIT_BITS = 8, DIGIT_VALUES = 1 << DIGIT_BITS };

// A row with what it is ordered by at a level.
struct candidate {
    uint64_t value;
    uint32_t row;
};

static uint64_t word_of_key(const struct tally_row *row, size_t begin)
{
    size_t length;
    const uint8_t *key = tally_key(row, &length);
    uint64_t word = 0;
    for (size_t i = begin; i < begin + WORD_BYTES; i++)
        word = word << 8 | (i < length ? key[i] : 0);
    return word;
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

// Those that come before the border are marked, those on it are the candidates of the next level.
static void part(struct contest *contest, uint64_t border)
{
    size_t tied = 0, marked = 0;
    for (size_t i = 0; i < contest->count; i++) {
        struct candidate candidate = contest->candidates[i];
        bool before = candidate.value < border;
        contest->stays[candidate.row] = before;
        marked += before;
        contest->candidates[tied] = candidate;
        tied += candidate.value == border;
    }
    assert(marked < contest->most && contest->most <= marked + tied);
    contest->most -= marked;
    contest->count = tied;
}

static void decide(struct contest *contest)
{
    for (unsigned level = 0; contest->count > contest->most; level++) {
        assert(level <= LAST_LEVEL); // no two keys are the same
        for (size_t i = 0; i < contest->count; i++) {
            struct candidate *candidate = &contest->candidates[i];
            contest->values[i] = candidate->value = value_at(&contest->rows[candidate->row], level);
        }
        part(contest, value_of_rank(contest->values, contest->count, contest->most - 1));
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
        contest.candidates[i].row = (uint32_t)i;
    if (whole)
        decide(&contest);
    free(contest.candidates);
    free(contest.values);
    return whole;
}
