#include "config/nearest.h"

#include <stddef.h>
#include <string.h>

enum { LONGEST_WORD = 63 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static size_t word_length(const char *word)
{
    size_t length = strlen(word);
    return length < LONGEST_WORD ? length : LONGEST_WORD;
}

// Optimal string alignment with three rows of the table: before[] is two rows up, above[] one.
unsigned edit_distance(const char *from, const char *to)
{
    unsigned rows[3][LONGEST_WORD + 1] = {{0}};
    size_t height = word_length(from), width = word_length(to);
    for (size_t x = 0; x <= width; x++)
        rows[0][x] = (unsigned)x;
    for (size_t y = 1; y <= height; y++) {
        unsigned *row = rows[y % 3], *above = rows[(y + 2) % 3], *before = rows[(y + 1) % 3];
        row[0] = (unsigned)y;
        for (size_t x = 1; x <= width; x++) {
            unsigned replaced = above[x - 1] + (from[y - 1] != to[x - 1]);
            row[x] = least(replaced, least(above[x], row[x - 1]) + 1);
            bool swapped = y > 1 && x > 1 && from[y - 1] == to[x - 2] && from[y - 2] == to[x - 1];
            if (swapped)
                row[x] = least(row[x], before[x - 2] + 1);
        }
    }
    return rows[height % 3][width];
}

bool edits_are_near(const char *written, unsigned distance)
{
    enum { LETTERS_AN_EDIT = 3 };
    return distance <= word_length(written) / LETTERS_AN_EDIT;
}
