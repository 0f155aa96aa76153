/* way.h: the way from a name to a gateway that has proved itself: resolve, connect, certificate,
 * grant. Ways that are there are used again. */
#ifndef CG_CLIENT_WAY_H
#define CG_CLIENT_WAY_H
#include "client/link.h"
#include "client/resolve.h"

#define CL_WAYS_MAX 16

/* One name's link, with what must outlive it. */
struct cl_way {
    char name[320]; /* plane/authority */
    bool is_anonymous;
    struct cg_waddr gateway_dids[CG_RECORD_GATEWAYS_MAX];
    size_t n_gateway_dids;
    struct cg_wall fresh_until; /* the record's */
    struct cl_link *link;
    struct cg_mono resolved; /* when it was, for timings; the beginning is began */
    struct cg_mono began;
    uint64_t used; /* for choosing the one to give up */
};

struct cl_ways {
    struct cl_app *app;
    struct cl_way ways[CL_WAYS_MAX];
    uint64_t n_used;
};

/* Where finding a way ended. */
enum cl_way_step {
    CL_WAY_RESOLVE,
    CL_WAY_CONNECT,
    CL_WAY_CERTIFICATE,
    CL_WAY_GRANT,
    CL_WAY_READY,
};

void cl_ways_done(struct cl_ways *ways);
/* cl_way_find gives a ready link for a URL, the one there is or a new one; it waits.
 * Owns    *out is the ways', good until the next call.
 * Errors  those of cl_resolve and of a link; *out_step tells where. */
CG_MUST_USE cg_err cl_way_find(struct cl_ways *ways, const struct cg_url *url, bool is_anonymous,
                               struct cl_way **out, enum cl_way_step *out_step);
/* cl_way_drop closes it: its connection is over, or not to be trusted any more. */
void cl_way_drop(struct cl_way *way);
/* cl_way_exit gives the exit code for a way that was not found; cl_refusal_exit for a refusal that
 * came before anything was verified, by its code. */
int cl_way_exit(const struct cl_app *app, enum cl_way_step step, cg_err err);
int cl_refusal_exit(const struct cl_show *show);

#endif
