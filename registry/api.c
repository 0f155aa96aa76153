#include "registry/inner.h"

/* What the registry answers; registry.h says how. */
const struct cg_route rg_route_list[] = {
    {"GET", "/resolve/{plane}/{authority}", rg_resolve},
    {"GET", "/operator", rg_operator},
    {"POST", "/challenge", rg_challenge},
    {"POST", "/register", rg_register},
};
const size_t rg_n_routes = sizeof rg_route_list / sizeof *rg_route_list;
