#include "micro/series.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/time.h"

enum { NAME_COLUMNS = 44 };

int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void series_add(struct series *series, double value)
{
    assert(series->count < SERIES_MAXIMUM);
    series->values[series->count++] = value;
}

double series_median(struct series *series)
{
    assert(series->count > 0);
    qsort(series->values, series->count, sizeof series->values[0], compare_doubles);
    size_t middle = series->count / 2;
    if (series->count % 2 != 0)
        return series->values[middle];
    return (series->values[middle - 1] + series->values[middle]) / 2;
}

double series_print(struct series *series, const char *name, const char *unit)
{
    double median = series_median(series);
    printf("%-*s %10.2f %-10s (%.2f to %.2f, %zu times)\n", NAME_COLUMNS, name, median, unit,
           series->values[0], series->values[series->count - 1], series->count);
    fflush(stdout);
    return median;
}

void figure_print(const char *name, double value, const char *unit)
{
    printf("%-*s %10.2f %s\n", NAME_COLUMNS, name, value, unit);
    fflush(stdout);
}

int64_t micro_thread_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}
