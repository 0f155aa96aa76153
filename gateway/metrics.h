/* metrics.h: what the gateway counts. */
#ifndef CG_GATEWAY_METRICS_H
#define CG_GATEWAY_METRICS_H
#include "gateway/gateway.h"

enum gw_metric {
    GW_METRIC_REQUESTS,
    GW_METRIC_SECONDS,
    GW_METRIC_REFUSALS,
    GW_METRIC_GRANTS,
    GW_METRIC_CONNECTIONS,
    GW_METRIC_CLOCK_STEPS,
    GW_METRIC_COUNT
};

#endif
