#include "ledger/inner.h"

/* What the ledger answers; ledger.h says how. */
const struct cg_route lg_route_list[] = {
    {"POST", "/submit", lg_submit},
    {"GET", "/checkpoint", lg_get_checkpoint},
    {"GET", "/tile/{path*}", lg_get_tile},
    {"GET", "/object/{digest}", lg_get_object},
    {"GET", "/proof/inclusion", lg_get_inclusion},
    {"GET", "/proof/consistency", lg_get_consistency},
    {"GET", "/state", lg_get_state},
    {"GET", "/staple", lg_get_staple},
};
const size_t lg_n_routes = sizeof lg_route_list / sizeof *lg_route_list;
