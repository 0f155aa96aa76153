#include "runtime/metrics_inner.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define SERIES_MAX_BYTES 512

__attribute__((format(printf, 2, 3))) static cg_err add(struct cg_buf *out, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof line)
        return CG_TOO_LARGE;
    return cg_buf_add(out, cg_span_of(line, (size_t)n));
}

static const char *kind_name(enum cg_metric_kind kind)
{
    switch (kind) {
    case CG_METRIC_COUNTER:
        return "counter";
    case CG_METRIC_GAUGE:
    case CG_METRIC_RATIO:
        return "gauge";
    case CG_METRIC_HISTOGRAM:
        return "histogram";
    }
    return "untyped";
}

/* The labels of a series without braces, such as plane="app",status="200"; "" for none. */
static void name_series(const struct cg_metric *metric, size_t series,
                        char out[static SERIES_MAX_BYTES])
{
    size_t values[CG_METRIC_LABELS] = {0}, n = 0, len = 0;

    while (n < CG_METRIC_LABELS && metric->labels[n].name)
        n++;
    for (size_t i = n; i-- > 0;) {
        size_t count = cg_label_count(&metric->labels[i]);

        values[i] = series % count;
        series /= count;
    }
    out[0] = '\0';
    for (size_t i = 0; i < n && len < SERIES_MAX_BYTES; i++) {
        const struct cg_metric_label *label = &metric->labels[i];
        const char *comma = i > 0 ? "," : "";
        size_t room = SERIES_MAX_BYTES - len;

        len += (size_t)(label->values ? snprintf(out + len, room, "%s%s=\"%s\"", comma, label->name,
                                                 label->values[values[i]])
                                      : snprintf(out + len, room, "%s%s=\"%d\"", comma, label->name,
                                                 label->from + (int)values[i]));
    }
}

/* Microseconds as seconds, without the zeros at the end. */
static const char *as_seconds(int64_t us, char out[static 32])
{
    size_t len = (size_t)snprintf(out, 32, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);

    while (out[len - 1] == '0')
        out[--len] = '\0';
    if (out[len - 1] == '.')
        out[--len] = '\0';
    return out;
}

static cg_err add_histogram(const struct cg_metrics *metrics, const struct cg_metric *metric,
                            size_t first, const char *labels, struct cg_buf *out)
{
    const char *comma = labels[0] ? "," : "", *open = labels[0] ? "{" : "",
               *close = labels[0] ? "}" : "";
    int64_t count = 0;
    char seconds[32];

    for (size_t i = 0; i < metric->n_buckets; i++) {
        count += cg_metrics_sum(metrics, first + i);
        CG_TRY(add(out, "%s_bucket{%s%sle=\"%s\"} %" PRId64 "\n", metric->name, labels, comma,
                   as_seconds(metric->buckets_us[i], seconds), count));
    }
    count += cg_metrics_sum(metrics, first + metric->n_buckets);
    CG_TRY(
        add(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRId64 "\n", metric->name, labels, comma, count));
    CG_TRY(add(out, "%s_sum%s%s%s %s\n", metric->name, open, labels, close,
               as_seconds(cg_metrics_sum(metrics, first + metric->n_buckets + 1), seconds)));
    return add(out, "%s_count%s%s%s %" PRId64 "\n", metric->name, open, labels, close, count);
}

static bool is_zero(const struct cg_metrics *metrics, size_t first, size_t width)
{
    for (size_t i = 0; i < width; i++)
        if (cg_metrics_sum(metrics, first + i) != 0)
            return false;
    return true;
}

static cg_err add_ratio(const struct cg_metrics *metrics, const struct cg_metric_table *table,
                        const struct cg_metric *metric, struct cg_buf *out)
{
    int64_t part = cg_metric_total(metrics, table, metric->part);
    int64_t whole = cg_metric_total(metrics, table, metric->whole);

    return add(out, "%s %.6g\n", metric->name, whole > 0 ? (double)part / (double)whole : 0.0);
}

static cg_err add_metric(const struct cg_metrics *metrics, const struct cg_metric_table *table,
                         int place, struct cg_buf *out)
{
    const struct cg_metric *metric = &table->metrics[place];
    size_t width = cg_metric_width(metric), n = cg_metric_series(metric);
    char labels[SERIES_MAX_BYTES];

    CG_TRY(add(out, "# HELP %s %s\n", metric->name, metric->help));
    CG_TRY(add(out, "# TYPE %s %s\n", metric->name, kind_name(metric->kind)));
    if (metric->kind == CG_METRIC_RATIO)
        return add_ratio(metrics, table, metric, out);
    for (size_t i = 0; i < n; i++) {
        size_t first = cg_metrics_first(metrics, table, place) + i * width;

        /* Of hundreds of status codes a few occur; those that never did are not written. */
        if (n > 1 && is_zero(metrics, first, width))
            continue;
        name_series(metric, i, labels);
        if (metric->kind == CG_METRIC_HISTOGRAM)
            CG_TRY(add_histogram(metrics, metric, first, labels, out));
        else
            CG_TRY(add(out, "%s%s%s%s %" PRId64 "\n", metric->name, labels[0] ? "{" : "", labels,
                       labels[0] ? "}" : "", cg_metrics_sum(metrics, first)));
    }
    return CG_OK;
}

cg_err cg_metrics_text(const struct cg_metrics *metrics, struct cg_buf *out)
{
    for (size_t i = 0; i < metrics->n_tables; i++)
        for (size_t k = 0; k < metrics->tables[i].table->n; k++)
            CG_TRY(add_metric(metrics, metrics->tables[i].table, (int)k, out));
    return cg_metrics_process(out);
}

static bool is_name(const char *name)
{
    if (!name || !name[0] || (name[0] >= '0' && name[0] <= '9'))
        return false;
    for (; *name; name++)
        if (*name != '_' && !(*name >= 'a' && *name <= 'z') && !(*name >= '0' && *name <= '9'))
            return false;
    return true;
}

/* Plain words need no escape in the text format. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text == '"' || *text == '\\' || *text == 0x7f)
            return false;
    return true;
}

static bool ends_in(const char *name, const char *suffix)
{
    return cg_span_ends(cg_span_str(name), cg_span_str(suffix));
}

static const char *labels_fault(const struct cg_metric *metric)
{
    bool is_over = false;

    for (size_t i = 0; i < CG_METRIC_LABELS; i++) {
        const struct cg_metric_label *label = &metric->labels[i];

        if (!label->name) {
            is_over = true;
            continue;
        }
        if (is_over || !is_name(label->name) || strcmp(label->name, "le") == 0)
            return "a label's name is malformed, reserved or behind a gap";
        if (label->values ? !label->values[0] : label->from > label->to)
            return "a label has no values";
        for (size_t k = 0; label->values && label->values[k]; k++)
            if (!is_plain(label->values[k]))
                return "a label's value needs escaping";
    }
    return NULL;
}

static bool is_counter(const struct cg_metric_table *table, int place)
{
    return place >= 0 && (size_t)place < table->n &&
           table->metrics[place].kind == CG_METRIC_COUNTER && !table->metrics[place].labels[0].name;
}

static const char *metric_fault(const struct cg_metric_table *table, const struct cg_metric *metric)
{
    if (!is_name(metric->name) || !metric->help || !is_plain(metric->help))
        return "a metric's name or help is malformed";
    if ((metric->kind == CG_METRIC_COUNTER) != ends_in(metric->name, "_total"))
        return "counters, and only they, end in _total";
    if (metric->kind == CG_METRIC_HISTOGRAM && !ends_in(metric->name, "_seconds"))
        return "a histogram is of seconds and says so";
    if (metric->kind == CG_METRIC_HISTOGRAM && metric->n_buckets == 0)
        return "a histogram has no buckets";
    for (size_t i = 1; i < metric->n_buckets; i++)
        if (metric->buckets_us[i] <= metric->buckets_us[i - 1])
            return "buckets do not rise";
    if (metric->kind == CG_METRIC_RATIO &&
        (metric->labels[0].name || !is_counter(table, metric->part) ||
         !is_counter(table, metric->whole)))
        return "a ratio is not of two counters without labels";
    return labels_fault(metric);
}

const char *cg_metric_table_fault(const struct cg_metric_table *table)
{
    const struct cg_metric_table *const tables[] = {table};
    struct cg_metrics *metrics = NULL;
    const char *fault = NULL;

    for (size_t i = 0; i < table->n && !fault; i++) {
        fault = metric_fault(table, &table->metrics[i]);
        for (size_t k = 0; k < i && !fault; k++)
            if (cg_span_is(cg_span_str(table->metrics[i].name), table->metrics[k].name))
                fault = "two metrics of one name";
    }
    if (!fault && cg_metrics_new(tables, 1, 1, &metrics) != CG_OK)
        fault = "a metric has too many series";
    cg_metrics_free(metrics);
    return fault;
}
