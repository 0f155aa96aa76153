/* metrics_inner.h: what counting and writing share; nobody else needs it. */
#ifndef CG_RUNTIME_METRICS_INNER_H
#define CG_RUNTIME_METRICS_INNER_H
#include "runtime/metrics.h"

#include <stdatomic.h>

struct cg_shard {
    struct cg_metrics *metrics;
    atomic_llong *cells;
};

struct cg_metrics {
    struct {
        const struct cg_metric_table *table;
        size_t *first; /* of each metric: its first cell */
    } * tables;
    size_t n_tables;
    struct cg_shard *shards;
    size_t n_shards;
    size_t n_cells; /* of each shard */
};

/* How many values a label has (1 for none), how many series a metric, and how many cells a series.
 */
size_t cg_label_count(const struct cg_metric_label *label);
size_t cg_metric_series(const struct cg_metric *metric);
size_t cg_metric_width(const struct cg_metric *metric);
size_t cg_metrics_first(const struct cg_metrics *metrics, const struct cg_metric_table *table,
                        int metric);
int64_t cg_metrics_sum(const struct cg_metrics *metrics, size_t cell);

/* metrics_process.c: the process's own numbers, as every exporter names them. */
CG_MUST_USE cg_err cg_metrics_process(struct cg_buf *out);

#endif
