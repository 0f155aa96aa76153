#include "runtime/metrics.h"

#include "runtime/metrics_inner.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64

const int64_t cg_buckets_seconds[CG_BUCKETS_SECONDS] = {
    500,    1000,   2500,    5000,    10000,   25000,    50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 60000000,
};

size_t cg_label_count(const struct cg_metric_label *label)
{
    size_t n = 0;

    if (!label->name)
        return 1;
    if (!label->values)
        return (size_t)(label->to - label->from) + 1;
    while (label->values[n])
        n++;
    return n;
}

size_t cg_metric_series(const struct cg_metric *metric)
{
    size_t n = 1;

    for (size_t i = 0; i < CG_METRIC_LABELS; i++)
        n *= cg_label_count(&metric->labels[i]);
    return n;
}

/* A histogram's cells are its buckets, the one without a bound, and the sum. */
size_t cg_metric_width(const struct cg_metric *metric)
{
    switch (metric->kind) {
    case CG_METRIC_COUNTER:
    case CG_METRIC_GAUGE:
        return 1;
    case CG_METRIC_HISTOGRAM:
        return metric->n_buckets + 2;
    case CG_METRIC_RATIO:
        break;
    }
    return 0;
}

/* Counts labels before multiplying, so that no product can overflow. */
static bool is_bounded(const struct cg_metric *metric)
{
    size_t room = CG_METRIC_CELLS_MAX;

    if (cg_metric_width(metric) > CG_METRIC_CELLS_MAX)
        return false;
    if (cg_metric_width(metric) > 0)
        room /= cg_metric_width(metric);
    for (size_t i = 0; i < CG_METRIC_LABELS; i++) {
        size_t n = cg_label_count(&metric->labels[i]);

        if (n == 0 || n > room)
            return false;
        room /= n;
    }
    return true;
}

static cg_err lay_out(struct cg_metrics *metrics)
{
    size_t next = 0;

    for (size_t i = 0; i < metrics->n_tables; i++) {
        const struct cg_metric_table *table = metrics->tables[i].table;

        metrics->tables[i].first = calloc(table->n, sizeof(size_t));
        if (!metrics->tables[i].first)
            return CG_NO_MEMORY;
        for (size_t k = 0; k < table->n; k++) {
            if (!is_bounded(&table->metrics[k]))
                return CG_TOO_LARGE;
            metrics->tables[i].first[k] = next;
            next += cg_metric_series(&table->metrics[k]) * cg_metric_width(&table->metrics[k]);
        }
    }
    metrics->n_cells = next;
    return CG_OK;
}

cg_err cg_metrics_new(const struct cg_metric_table *const *tables, size_t n_tables, size_t n_shards,
                      struct cg_metrics **out)
{
    struct cg_metrics *metrics = calloc(1, sizeof *metrics);
    cg_err err = CG_OK;

    if (!metrics)
        return CG_NO_MEMORY;
    metrics->tables = calloc(n_tables ? n_tables : 1, sizeof *metrics->tables);
    metrics->shards = calloc(n_shards ? n_shards : 1, sizeof *metrics->shards);
    if (!metrics->tables || !metrics->shards)
        err = CG_NO_MEMORY;
    else
        metrics->n_tables = n_tables;
    for (size_t i = 0; err == CG_OK && i < n_tables; i++)
        metrics->tables[i].table = tables[i];
    if (err == CG_OK)
        err = lay_out(metrics);
    for (size_t i = 0; err == CG_OK && i < (n_shards ? n_shards : 1); i++) {
        /* Whole cache lines, so that two shards never share one. */
        size_t bytes = metrics->n_cells * sizeof(atomic_llong);
        bytes = (bytes + CACHE_LINE) / CACHE_LINE * CACHE_LINE;
        atomic_llong *cells = aligned_alloc(CACHE_LINE, bytes);

        if (!cells) {
            err = CG_NO_MEMORY;
            break;
        }
        memset(cells, 0, bytes);
        metrics->shards[i] = (struct cg_shard){.metrics = metrics, .cells = cells};
        metrics->n_shards++;
    }
    if (err != CG_OK) {
        cg_metrics_free(metrics);
        return err;
    }
    *out = metrics;
    return CG_OK;
}

void cg_metrics_free(struct cg_metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < metrics->n_tables; i++)
        free(metrics->tables[i].first);
    for (size_t i = 0; i < metrics->n_shards; i++)
        free(metrics->shards[i].cells);
    free(metrics->tables);
    free(metrics->shards);
    free(metrics);
}

struct cg_shard *cg_metrics_shard(struct cg_metrics *metrics, size_t n)
{
    return &metrics->shards[n % metrics->n_shards];
}

size_t cg_metrics_first(const struct cg_metrics *metrics, const struct cg_metric_table *table,
                        int metric)
{
    for (size_t i = 0; i < metrics->n_tables; i++)
        if (metrics->tables[i].table == table)
            return metrics->tables[i].first[metric];
    assert(false && "a table that was not among those of cg_metrics_new");
    return 0;
}

int64_t cg_metrics_sum(const struct cg_metrics *metrics, size_t cell)
{
    int64_t sum = 0;

    for (size_t i = 0; i < metrics->n_shards; i++)
        sum += atomic_load_explicit(&metrics->shards[i].cells[cell], memory_order_relaxed);
    return sum;
}

/* The series these labels stand for; false for one that does not exist. */
static bool find_series(const struct cg_metric *metric, const int labels[CG_METRIC_LABELS],
                        size_t *out)
{
    size_t series = 0;

    for (size_t i = 0; i < CG_METRIC_LABELS && metric->labels[i].name; i++) {
        const struct cg_metric_label *label = &metric->labels[i];
        size_t n = cg_label_count(label);
        int value = labels[i];

        if (!label->values) {
            value = value < label->from ? label->from : value > label->to ? label->to : value;
            value -= label->from;
        }
        if (value < 0 || (size_t)value >= n)
            return false;
        series = series * n + (size_t)value;
    }
    *out = series;
    return true;
}

static void add(struct cg_shard *shard, size_t cell, int64_t n)
{
    atomic_fetch_add_explicit(&shard->cells[cell], n, memory_order_relaxed);
}

void cg_metric_add(struct cg_shard *shard, const struct cg_metric_table *table, int metric,
                   const int labels[CG_METRIC_LABELS], int64_t n)
{
    const struct cg_metric *what = &table->metrics[metric];
    size_t series;

    assert(what->kind == CG_METRIC_COUNTER || what->kind == CG_METRIC_GAUGE);
    if (find_series(what, labels, &series))
        add(shard, cg_metrics_first(shard->metrics, table, metric) + series, n);
}

void cg_metric_observe(struct cg_shard *shard, const struct cg_metric_table *table, int metric,
                       const int labels[CG_METRIC_LABELS], int64_t us)
{
    const struct cg_metric *what = &table->metrics[metric];
    size_t series, bucket = 0, first;

    assert(what->kind == CG_METRIC_HISTOGRAM);
    if (!find_series(what, labels, &series))
        return;
    while (bucket < what->n_buckets && us > what->buckets_us[bucket])
        bucket++;
    first = cg_metrics_first(shard->metrics, table, metric) + series * cg_metric_width(what);
    add(shard, first + bucket, 1);
    add(shard, first + what->n_buckets + 1, us);
}

int64_t cg_metric_total(const struct cg_metrics *metrics, const struct cg_metric_table *table,
                        int metric)
{
    const struct cg_metric *what = &table->metrics[metric];
    size_t first = cg_metrics_first(metrics, table, metric), n = cg_metric_series(what);
    int64_t sum = 0;

    if (cg_metric_width(what) != 1)
        return 0;
    for (size_t i = 0; i < n; i++)
        sum += cg_metrics_sum(metrics, first + i);
    return sum;
}
