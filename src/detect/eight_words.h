// Eight words of 32 bits, compared at once: where in a small table a value is. Pure; internal to detect/.
#pragma once

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { EIGHT_WORDS = 8 };

// Which of them are `wanted`, as bits.
#ifdef __SSE2__
static inline unsigned eight_words_match(const uint32_t words[EIGHT_WORDS], uint32_t wanted)
{
    const __m128i *halves = (const __m128i *)(const void *)words;
    __m128i all = _mm_set1_epi32((int)wanted);
    __m128i first = _mm_cmpeq_epi32(_mm_loadu_si128(halves), all);
    __m128i rest = _mm_cmpeq_epi32(_mm_loadu_si128(halves + 1), all);
    __m128i both = _mm_packs_epi32(first, rest);
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(both, both)) & ((1u << EIGHT_WORDS) - 1);
}
#else
static inline unsigned eight_words_match(const uint32_t words[EIGHT_WORDS], uint32_t wanted)
{
    unsigned places = 0;
    for (unsigned place = 0; place < EIGHT_WORDS; place++)
        places |= (unsigned)(words[place] == wanted) << place;
    return places;
}
#endif
