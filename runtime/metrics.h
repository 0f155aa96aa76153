/* metrics.h: counters, gauges and histograms, declared in tables, written as Prometheus text.
 *
 * A role declares an enum of its metrics and a table in the same order. Label values come from the
 * table or from a range of numbers, never from a peer, so the number of series is known at the
 * start and all of them are atomics in one block. Each thread writes to a shard of its own (two may
 * share one, nothing breaks); reading sums the shards.
 *
 *     enum { GW_M_REQUESTS, GW_M_SECONDS, GW_M_COUNT };
 *     static const char *const planes[] = {"app", "m2m", NULL};
 *     static const struct cg_metric metrics[] = {
 *         [GW_M_REQUESTS] = {.name = "httpcg_requests_total", .kind = CG_METRIC_COUNTER, .help =
 * "...", .labels = {{"plane", planes}, {.name = "status", .from = 100, .to = 599}}}, [GW_M_SECONDS]
 * = {.name = "httpcg_request_seconds", .kind = CG_METRIC_HISTOGRAM, .buckets_us =
 * cg_buckets_seconds, .n_buckets = CG_BUCKETS_SECONDS, ...},
 *     };
 *     cg_count(shard, &gw_metrics, GW_M_REQUESTS, plane, status, 1);
 */
#ifndef CG_RUNTIME_METRICS_H
#define CG_RUNTIME_METRICS_H
#include "lib/base/buf.h"

enum cg_metric_kind {
    CG_METRIC_COUNTER,
    CG_METRIC_GAUGE,     /* may fall: connections open */
    CG_METRIC_HISTOGRAM, /* of microseconds, written in seconds */
    CG_METRIC_RATIO,     /* a gauge: counter parts over counter wholes of the same table, 0 to 1 */
};

#define CG_METRIC_LABELS 3
#define CG_METRIC_CELLS_MAX 65536 /* of one metric */

struct cg_metric_label {
    const char *name;
    const char *const *values; /* NULL ends it; or: */
    int from, to;              /* numbers; what is outside counts as the nearer end */
};

struct cg_metric {
    const char *name;
    const char *help;
    enum cg_metric_kind kind;
    struct cg_metric_label labels[CG_METRIC_LABELS];
    const int64_t *buckets_us; /* upper bounds, rising */
    size_t n_buckets;
    int part, whole; /* of a ratio: places of two counters without labels */
};

struct cg_metric_table {
    const struct cg_metric *metrics;
    size_t n;
};

/* 0.5 ms to 60 s. */
#define CG_BUCKETS_SECONDS 15
extern const int64_t cg_buckets_seconds[CG_BUCKETS_SECONDS];

struct cg_metrics;
struct cg_shard;

/* cg_metrics_new makes room for all tables; the tables must outlive it.
 * Errors  CG_NO_MEMORY; CG_TOO_LARGE: a metric has more than CG_METRIC_CELLS_MAX series. */
CG_MUST_USE cg_err cg_metrics_new(const struct cg_metric_table *const *tables, size_t n_tables,
                                  size_t n_shards, struct cg_metrics **out);
void cg_metrics_free(struct cg_metrics *metrics);
/* cg_metrics_shard gives a thread's shard; any number is good. */
struct cg_shard *cg_metrics_shard(struct cg_metrics *metrics, size_t n);
/* cg_metrics_text appends everything in the Prometheus text format, version 0.0.4, with the
 * process's own numbers (CPU, memory, descriptors) at the end.
 * Source  prometheus.io/docs/instrumenting/exposition_formats */
CG_MUST_USE cg_err cg_metrics_text(const struct cg_metrics *metrics, struct cg_buf *out);
/* cg_metric_table_fault tells what is wrong with a table, for the role's unit test, or NULL. */
const char *cg_metric_table_fault(const struct cg_metric_table *table);

/* cg_metric_add adds to a counter or gauge; labels: as many as the metric has, a value's place for
 * an enum, the number itself for a range. A place that does not exist is a bug and adds nothing. */
void cg_metric_add(struct cg_shard *shard, const struct cg_metric_table *table, int metric,
                   const int labels[CG_METRIC_LABELS], int64_t n);
/* cg_metric_observe adds one duration to a histogram. */
void cg_metric_observe(struct cg_shard *shard, const struct cg_metric_table *table, int metric,
                       const int labels[CG_METRIC_LABELS], int64_t us);
/* cg_metric_total sums a counter or gauge over all labels and shards (for status and tests). */
int64_t cg_metric_total(const struct cg_metrics *metrics, const struct cg_metric_table *table,
                        int metric);

/* CG_LABELS(plane, status) makes the label argument; CG_LABELS() that of a metric without any. */
#define CG_LABELS(...) ((const int[CG_METRIC_LABELS]){__VA_ARGS__})

#endif
