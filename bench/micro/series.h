// A row of measurements and what is said of it.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SERIES_MAXIMUM = 1024 };

struct series {
    size_t count;
    double values[SERIES_MAXIMUM];
};

void series_add(struct series *series, double value);
double series_median(struct series *series); // sorts it
// "name  median  unit  (least .. most, n)"; returns the median.
double series_print(struct series *series, const char *name, const char *unit);
// A single figure in the same columns.
void figure_print(const char *name, double value, const char *unit);

int compare_doubles(const void *left, const void *right); // for qsort

// Processor time of the thread: what others do on the machine meanwhile is not its cost.
int64_t micro_thread_now_ns(void);
