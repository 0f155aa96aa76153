#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    M_REQUESTS,
    M_OPEN,
    M_SECONDS,
    M_HITS,
    M_LOOKUPS,
    M_HIT_RATIO,
    M_COUNT,
};

static const char *const planes[] = {"app", "m2m", NULL};
static const int64_t two_buckets[] = {1000, 2500000};

static const struct cg_metric metrics_rows[] = {
    [M_REQUESTS] = {.name = "t_requests_total",
                    .help = "Requests.",
                    .kind = CG_METRIC_COUNTER,
                    .labels = {{.name = "plane", .values = planes},
                               {.name = "status", .from = 100, .to = 599}}},
    [M_OPEN] = {.name = "t_open", .help = "Open ones.", .kind = CG_METRIC_GAUGE},
    [M_SECONDS] = {.name = "t_request_seconds",
                   .help = "How long.",
                   .kind = CG_METRIC_HISTOGRAM,
                   .buckets_us = two_buckets,
                   .n_buckets = 2,
                   .labels = {{.name = "plane", .values = planes}}},
    [M_HITS] = {.name = "t_hits_total", .help = "Hits.", .kind = CG_METRIC_COUNTER},
    [M_LOOKUPS] = {.name = "t_lookups_total", .help = "Look-ups.", .kind = CG_METRIC_COUNTER},
    [M_HIT_RATIO] = {.name = "t_hit_ratio",
                     .help = "Hits over look-ups.",
                     .kind = CG_METRIC_RATIO,
                     .part = M_HITS,
                     .whole = M_LOOKUPS},
};

static const struct cg_metric_table table = {metrics_rows, M_COUNT};
static const struct cg_metric_table *const tables[] = {&table};

static struct cg_metrics *make(size_t n_shards)
{
    struct cg_metrics *metrics = NULL;

    CHECK_OK(cg_metrics_new(tables, 1, n_shards, &metrics));
    return metrics;
}

/* The text up to the process's own numbers. */
static void check_text(const struct cg_metrics *metrics, const char *want)
{
    CG_AUTO(buf) struct cg_buf text;

    cg_buf_init(&text, 1 << 20);
    CHECK_OK(cg_metrics_text(metrics, &text));
    const char *end = memmem(text.at, text.len, "# HELP process_", 15);
    CHECK_OR_STOP(end != NULL);
    CHECK_SPAN(cg_span_of(text.at, (size_t)(end - (const char *)text.at)), cg_span_str(want));
}

TEST(the_text_is_as_prometheus_reads_it)
{
    struct cg_metrics *metrics = make(2);
    struct cg_shard *a = cg_metrics_shard(metrics, 0), *b = cg_metrics_shard(metrics, 1);

    cg_metric_add(a, &table, M_REQUESTS, CG_LABELS(0, 200), 2);
    cg_metric_add(b, &table, M_REQUESTS, CG_LABELS(0, 200), 3);
    cg_metric_add(a, &table, M_REQUESTS, CG_LABELS(1, 99), 1);
    cg_metric_add(a, &table, M_REQUESTS, CG_LABELS(1, 600), 1);
    cg_metric_add(a, &table, M_OPEN, CG_LABELS(), 5);
    cg_metric_add(b, &table, M_OPEN, CG_LABELS(), -6);
    cg_metric_observe(a, &table, M_SECONDS, CG_LABELS(1), 1000);
    cg_metric_observe(b, &table, M_SECONDS, CG_LABELS(1), 1001);
    cg_metric_observe(a, &table, M_SECONDS, CG_LABELS(1), 2500001);
    cg_metric_add(a, &table, M_HITS, CG_LABELS(), 3);
    cg_metric_add(a, &table, M_LOOKUPS, CG_LABELS(), 4);
    check_text(metrics, "# HELP t_requests_total Requests.\n"
                        "# TYPE t_requests_total counter\n"
                        "t_requests_total{plane=\"app\",status=\"200\"} 5\n"
                        "t_requests_total{plane=\"m2m\",status=\"100\"} 1\n"
                        "t_requests_total{plane=\"m2m\",status=\"599\"} 1\n"
                        "# HELP t_open Open ones.\n"
                        "# TYPE t_open gauge\n"
                        "t_open -1\n"
                        "# HELP t_request_seconds How long.\n"
                        "# TYPE t_request_seconds histogram\n"
                        "t_request_seconds_bucket{plane=\"m2m\",le=\"0.001\"} 1\n"
                        "t_request_seconds_bucket{plane=\"m2m\",le=\"2.5\"} 2\n"
                        "t_request_seconds_bucket{plane=\"m2m\",le=\"+Inf\"} 3\n"
                        "t_request_seconds_sum{plane=\"m2m\"} 2.502002\n"
                        "t_request_seconds_count{plane=\"m2m\"} 3\n"
                        "# HELP t_hits_total Hits.\n"
                        "# TYPE t_hits_total counter\n"
                        "t_hits_total 3\n"
                        "# HELP t_lookups_total Look-ups.\n"
                        "# TYPE t_lookups_total counter\n"
                        "t_lookups_total 4\n"
                        "# HELP t_hit_ratio Hits over look-ups.\n"
                        "# TYPE t_hit_ratio gauge\n"
                        "t_hit_ratio 0.75\n");
    CHECK_INT(cg_metric_total(metrics, &table, M_REQUESTS), 7);
    CHECK_INT(cg_metric_total(metrics, &table, M_OPEN), -1);
    cg_metrics_free(metrics);
}

TEST(the_processs_own_numbers_are_there_and_plausible)
{
    static const struct {
        const char *name;
        double least, most;
    } numbers[] = {{"\nprocess_cpu_seconds_total ", 1e-6, 1e6},
                   {"\nprocess_resident_memory_bytes ", 1e5, 1e13},
                   {"\nprocess_start_time_seconds ", 1.5e9, 1e10},
                   {"\nprocess_open_fds ", 3, 1000},
                   {"\nprocess_max_fds ", 3, 1e10}};
    struct cg_metrics *metrics = make(1);
    CG_AUTO(buf) struct cg_buf text;

    cg_buf_init(&text, 1 << 20);
    CHECK_OK(cg_metrics_text(metrics, &text));
    CHECK_OK(cg_buf_add(&text, CG_LIT("\0")));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *at = strstr((const char *)text.at, numbers[i].name);
        CHECK_OR_STOP(at != NULL);
        double value = strtod(at + strlen(numbers[i].name), NULL);
        if (!CHECK(value >= numbers[i].least && value <= numbers[i].most))
            printf("# %s%g\n", numbers[i].name, value);
    }
    cg_metrics_free(metrics);
}

TEST(a_label_that_does_not_exist_counts_nothing)
{
    struct cg_metrics *metrics = make(1);
    struct cg_shard *shard = cg_metrics_shard(metrics, 0);

    cg_metric_add(shard, &table, M_REQUESTS, CG_LABELS(2, 200), 1);
    cg_metric_add(shard, &table, M_REQUESTS, CG_LABELS(-1, 200), 1);
    cg_metric_observe(shard, &table, M_SECONDS, CG_LABELS(2), 1);
    CHECK_INT(cg_metric_total(metrics, &table, M_REQUESTS), 0);
    cg_metrics_free(metrics);
}

static void *count_many(void *arg)
{
    for (int i = 0; i < 10000; i++) {
        cg_metric_add(arg, &table, M_HITS, CG_LABELS(), 1);
        cg_metric_observe(arg, &table, M_SECONDS, CG_LABELS(0), i);
    }
    return NULL;
}

TEST(threads_that_share_a_shard_lose_no_count)
{
    struct cg_metrics *metrics = make(3);
    pthread_t threads[8];

    for (size_t i = 0; i < 8; i++)
        CHECK(pthread_create(&threads[i], NULL, count_many, cg_metrics_shard(metrics, i)) == 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(cg_metric_total(metrics, &table, M_HITS), 80000);
    cg_metrics_free(metrics);
}

TEST(a_metric_has_no_more_series_than_its_limit)
{
    struct cg_metric row = {.name = "t_total", .help = "x", .kind = CG_METRIC_COUNTER};
    struct cg_metric_table one = {&row, 1};
    const struct cg_metric_table *const ones[] = {&one};
    struct cg_metrics *metrics = NULL;

    row.labels[0] = (struct cg_metric_label){.name = "a", .from = 1, .to = 256};
    row.labels[1] = (struct cg_metric_label){.name = "b", .from = 1, .to = 256};
    CHECK_OK(cg_metrics_new(ones, 1, 1, &metrics));
    cg_metrics_free(metrics);
    metrics = NULL;
    row.labels[1].to = 257;
    CHECK_ERR(cg_metrics_new(ones, 1, 1, &metrics), CG_TOO_LARGE);
    CHECK(metrics == NULL);
    row.labels[1].to = 2000000000;
    row.labels[0].to = 2000000000;
    CHECK_ERR(cg_metrics_new(ones, 1, 1, &metrics), CG_TOO_LARGE);
}

static const char *fault_of(struct cg_metric row)
{
    struct cg_metric_table one = {&row, 1};

    return cg_metric_table_fault(&one);
}

TEST(a_table_with_a_mistake_is_found_out)
{
    static const char *const quote[] = {"a\"b", NULL};
    static const int64_t falling[] = {2, 1};

    CHECK(cg_metric_table_fault(&table) == NULL);
    CHECK(fault_of((struct cg_metric){.name = "x", .help = "h", .kind = CG_METRIC_GAUGE}) == NULL);
    CHECK(fault_of((struct cg_metric){.name = "X", .help = "h", .kind = CG_METRIC_GAUGE}) != NULL);
    CHECK(fault_of((struct cg_metric){.name = "x", .kind = CG_METRIC_GAUGE}) != NULL);
    CHECK(fault_of((struct cg_metric){.name = "x", .help = "h"}) != NULL);
    CHECK(fault_of((struct cg_metric){.name = "x_total", .help = "h"}) == NULL);
    CHECK(fault_of((struct cg_metric){
              .name = "x_total", .help = "h", .labels = {{.name = "le", .to = 1}}}) != NULL);
    CHECK(fault_of((struct cg_metric){
              .name = "x_total", .help = "h", .labels = {{.name = "role", .to = 1}}}) == NULL);
    CHECK(fault_of((struct cg_metric){
              .name = "x_total", .help = "h", .labels = {{.name = "a", .values = quote}}}) != NULL);
    CHECK(fault_of((struct cg_metric){
              .name = "x_total", .help = "h", .labels = {{0}, {.name = "a", .to = 1}}}) != NULL);
    CHECK(fault_of((struct cg_metric){.name = "x_seconds",
                                      .help = "h",
                                      .kind = CG_METRIC_HISTOGRAM,
                                      .buckets_us = falling,
                                      .n_buckets = 2}) != NULL);
    CHECK(fault_of((struct cg_metric){.name = "x_seconds",
                                      .help = "h",
                                      .kind = CG_METRIC_HISTOGRAM,
                                      .buckets_us = cg_buckets_seconds,
                                      .n_buckets = CG_BUCKETS_SECONDS}) == NULL);
    CHECK(fault_of((struct cg_metric){.name = "x", .help = "h", .kind = CG_METRIC_RATIO}) != NULL);
}

SUITE(metrics, T(the_text_is_as_prometheus_reads_it),
      T(the_processs_own_numbers_are_there_and_plausible),
      T(a_label_that_does_not_exist_counts_nothing), T(threads_that_share_a_shard_lose_no_count),
      T(a_metric_has_no_more_series_than_its_limit), T(a_table_with_a_mistake_is_found_out))
