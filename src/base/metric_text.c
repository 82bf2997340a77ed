#include "base/metric_text.h"

#include <stdio.h>
#include <string.h>

struct text_reader {
    struct metric_reader reader; // first
    struct strbuf *into;
    enum metric_format format;
};

// A backslash, a line's end and, in a label, a quote are escaped.
static void add_escaped(struct strbuf *into, const char *text, bool quotes)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            strbuf_add(into, "\\n");
        else if (*text == '\\' || (*text == '"' && quotes))
            strbuf_addf(into, "\\%c", *text);
        else
            strbuf_add_char(into, *text);
    }
}

// The format is UTF-8: other bytes become \xHH, as on a terminal.
static void add_value(struct strbuf *into, const char *value)
{
    struct strbuf safe;
    strbuf_init(&safe, 4096);
    strbuf_add_wire(&safe, value, strlen(value));
    add_escaped(into, safe.text, true);
    strbuf_done(&safe);
}

static void add_labels(struct strbuf *into, const struct metric *metric, const struct metric_sample *sample,
                       const char *bound)
{
    char before = '{';
    for (int i = 0; i < METRIC_LABELS && metric->labels[i] != NULL; i++, before = ',') {
        strbuf_addf(into, "%c%s=\"", before, metric->labels[i]);
        add_value(into, sample->label[i]);
        strbuf_add_char(into, '"');
    }
    if (bound != NULL) {
        strbuf_addf(into, "%cle=\"%s\"", before, bound);
        before = ',';
    }
    if (before == ',')
        strbuf_add_char(into, '}');
}

static void add_histogram(struct strbuf *into, const struct metric *metric,
                          const struct metric_sample *sample)
{
    char bound[32];
    for (unsigned i = 0; i < sample->buckets; i++) {
        snprintf(bound, sizeof bound, "%.9g", sample->bound[i]);
        strbuf_addf(into, "%s_bucket", metric->name);
        add_labels(into, metric, sample, i + 1 < sample->buckets ? bound : "+Inf");
        strbuf_addf(into, " %llu\n", (unsigned long long)sample->count[i]);
    }
    strbuf_addf(into, "%s_sum", metric->name);
    add_labels(into, metric, sample, NULL);
    strbuf_addf(into, " %.9g\n%s_count", sample->sum, metric->name);
    add_labels(into, metric, sample, NULL);
    strbuf_addf(into, " %llu\n",
                (unsigned long long)(sample->buckets > 0 ? sample->count[sample->buckets - 1] : 0));
}

static void add_sample(struct metric_reader *reader, const struct metric *metric,
                       const struct metric_sample *sample)
{
    struct strbuf *into = ((struct text_reader *)reader)->into;
    if (metric->type == METRIC_HISTOGRAM) {
        add_histogram(into, metric, sample);
        return;
    }
    strbuf_add(into, metric->name);
    add_labels(into, metric, sample, NULL);
    if (sample->is_whole)
        strbuf_addf(into, " %llu\n", (unsigned long long)sample->whole);
    else
        strbuf_addf(into, " %.17g\n", sample->real);
}

static bool ends_in(const char *text, size_t length, const char *end)
{
    size_t bytes = strlen(end);
    return length >= bytes && memcmp(text + length - bytes, end, bytes) == 0;
}

// OpenMetrics names a family without what its samples' names end in.
static int family_length(const struct metric *metric, enum metric_format format)
{
    const char *end = metric->type == METRIC_COUNTER ? "_total" : metric->type == METRIC_INFO ? "_info" : "";
    size_t length = strlen(metric->name);
    bool shorter = format == METRIC_OPENMETRICS && ends_in(metric->name, length, end);
    return (int)(shorter ? length - strlen(end) : length);
}

static void add_family(struct metric_reader *reader, const struct metric *metric)
{
    static const char *const types[][2] = {{"counter", "counter"},
                                           {"gauge", "gauge"},
                                           {"histogram", "histogram"},
                                           {"gauge", "info"}}; // 0.0.4 knows no info
    const struct text_reader *own = (const struct text_reader *)reader;
    struct strbuf *into = own->into;
    bool open = own->format == METRIC_OPENMETRICS;
    int length = family_length(metric, own->format);
    strbuf_addf(into, "# HELP %.*s ", length, metric->name);
    add_escaped(into, metric->help, open); // where a quote is escaped as well
    strbuf_addf(into, "\n# TYPE %.*s %s\n", length, metric->name, types[metric->type][open]);
    if (open && metric->unit != NULL && ends_in(metric->name, (size_t)length, metric->unit))
        strbuf_addf(into, "# UNIT %.*s %s\n", length, metric->name, metric->unit);
}

void metric_text_add(struct strbuf *into, struct metric_registry *registry, enum metric_format format)
{
    struct text_reader reader = {
        .reader = {.family = add_family, .sample = add_sample}, .into = into, .format = format};
    metric_registry_walk(registry, &reader.reader);
    if (format == METRIC_OPENMETRICS)
        strbuf_add(into, "# EOF\n");
}
