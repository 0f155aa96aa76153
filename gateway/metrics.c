#include "gateway/metrics.h"

#include "lib/wire/refusal.h"

static const char *const planes[] = {"app", "bpi", "gw", "wallet", "m2m", "control", NULL};
static const char *const refusals[] = {
#define X(name, code, status, title) code,
    CG_REFUSAL_LIST(X)
#undef X
        NULL};

static const struct cg_metric metrics[] = {
    [GW_METRIC_REQUESTS] = {.name = "httpcg_requests_total",
                            .kind = CG_METRIC_COUNTER,
                            .help = "Requests by plane and status; status 0: none was sent.",
                            .labels = {{.name = "plane", .values = planes},
                                       {.name = "status", .from = 0, .to = 599}}},
    [GW_METRIC_SECONDS] = {.name = "httpcg_request_seconds",
                           .kind = CG_METRIC_HISTOGRAM,
                           .help = "From a request's head to its end.",
                           .labels = {{.name = "plane", .values = planes}},
                           .buckets_us = cg_buckets_seconds,
                           .n_buckets = CG_BUCKETS_SECONDS},
    [GW_METRIC_REFUSALS] = {.name = "httpcg_refusals_total",
                            .kind = CG_METRIC_COUNTER,
                            .help = "Requests refused, by code.",
                            .labels = {{.name = "code", .values = refusals}}},
    [GW_METRIC_GRANTS] = {.name = "httpcg_grants_total",
                          .kind = CG_METRIC_COUNTER,
                          .help = "Session grants given."},
    [GW_METRIC_CONNECTIONS] = {.name = "httpcg_connections_open",
                               .kind = CG_METRIC_GAUGE,
                               .help = "Client connections open now."},
    [GW_METRIC_CLOCK_STEPS] = {.name = "httpcg_clock_steps_total",
                               .kind = CG_METRIC_COUNTER,
                               .help = "Jumps of this machine's clock by more than 30 s."},
};

const struct cg_metric_table gw_metric_table = {metrics, GW_METRIC_COUNT};
