#include "client/way.h"

#include "client/exit.h"
#include "client/show.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/refusal.h"

struct waiting {
    bool done;
    cg_err err;
};

static void on_done(struct cl_link *link, cg_err err)
{
    struct waiting *waiting = link->owner;

    /* A link that closes later tells its way by its state alone. */
    if (!waiting)
        return;
    waiting->done = true;
    waiting->err = err;
}

void cl_way_drop(struct cl_way *way)
{
    if (way->link)
        way->link->owner = NULL;
    cl_link_free(way->link);
    *way = (struct cl_way){0};
}

void cl_ways_done(struct cl_ways *ways)
{
    for (size_t i = 0; i < CL_WAYS_MAX; i++)
        cl_way_drop(&ways->ways[i]);
}

/* --- finding one that is there ---------------------------------------------------------------- */

static struct cl_way *find_known(struct cl_ways *ways, const char *name, bool is_anonymous)
{
    for (size_t i = 0; i < CL_WAYS_MAX; i++) {
        struct cl_way *way = &ways->ways[i];

        if (way->link && way->is_anonymous == is_anonymous && strcmp(way->name, name) == 0)
            return way;
    }
    return NULL;
}

/* An empty place, or the one not used for longest. */
static struct cl_way *find_place(struct cl_ways *ways)
{
    struct cl_way *oldest = &ways->ways[0];

    for (size_t i = 0; i < CL_WAYS_MAX; i++) {
        if (!ways->ways[i].link)
            return &ways->ways[i];
        if (ways->ways[i].used < oldest->used)
            oldest = &ways->ways[i];
    }
    cl_way_drop(oldest);
    return oldest;
}

static bool is_alive(const struct cl_way *way)
{
    return way->link->state == CL_READY && way->link->conn &&
           cg_engine_state(cg_conn_engine(way->link->conn)) == CG_ENGINE_OPEN;
}

/* --- making one ------------------------------------------------------------------------------- */

static cg_err wait_for(struct cl_ways *ways, struct cl_way *way, struct waiting *waiting)
{
    struct cl_app *app = ways->app;
    cg_err err = cl_app_wait(app, &waiting->done, app->connect_ms);

    if (way->link)
        way->link->owner = NULL;
    return err == CG_OK ? waiting->err : err;
}

static cg_err connect_to(struct cl_ways *ways, struct cl_way *way, struct cg_span gateway)
{
    struct waiting waiting = {0};
    const struct cg_span scope = cg_span_str(way->name);
    const struct cl_link_ask ask = {
        .gateway = gateway,
        .gateway_dids = way->gateway_dids,
        .n_gateway_dids = way->n_gateway_dids,
        .scope = &scope,
        .n_scope = 1,
        .is_anonymous = way->is_anonymous,
        .on_done = on_done,
        .owner = &waiting,
    };

    CG_TRY(cl_link_open(ways->app, &ask, &way->link));
    cg_err err = wait_for(ways, way, &waiting);
    /* What the ask borrowed ends with this call. */
    way->link->ask.scope = NULL;
    way->link->ask.n_scope = 0;
    return err;
}

/* The record's gateways, or of them the one that the trust file pins this name to. */
static cg_err take_gateways(struct cl_ways *ways, struct cl_way *way, const struct cg_url *url,
                            const struct cg_record *record)
{
    const struct cg_waddr *pin =
        cg_trust_find_pin(ways->app->trust, cg_span_str(cg_plane_name(url->plane)), url->authority);

    way->n_gateway_dids = 0;
    for (size_t i = 0; i < record->n_gateway_dids; i++)
        if (!pin || cg_waddr_eq(pin, &record->gateway_dids[i]))
            way->gateway_dids[way->n_gateway_dids++] = record->gateway_dids[i];
    return cl_show_check(
        ways->app->show, pin ? "the pinned gateway may serve it" : "the record names gateways",
        way->n_gateway_dids > 0 && record->n_gateways > 0 ? CG_OK : CG_DENIED, NULL);
}

static enum cl_way_step step_of(const struct cl_link *link)
{
    if (!link)
        return CL_WAY_CONNECT;
    switch (link->state == CL_FAILED ? link->failed_at : link->state) {
    case CL_TLSLS:
    case CL_FLOOR:
        return CL_WAY_CERTIFICATE;
    case CL_GRANT:
        return CL_WAY_GRANT;
    case CL_READY:
        return CL_WAY_READY;
    default:
        return CL_WAY_CONNECT;
    }
}

/* A gateway that cannot be reached may be passed over for the next; one that fails a check may not:
 * that is an attack or a fault that somebody must look at. */
static bool may_try_next(cg_err err)
{
    return err == CG_UNREACHABLE || err == CG_TIMEOUT;
}

static cg_err open_way(struct cl_ways *ways, struct cl_way *way, const struct cg_url *url,
                       enum cl_way_step *out_step)
{
    struct cl_app *app = ways->app;
    struct cl_resolved resolved = {0};
    cg_err err;

    way->began = cg_loop_mono(app->loop);
    err = cl_resolve(app, cg_span_str(cg_plane_name(url->plane)), url->authority, &resolved);
    if (err != CG_OK) {
        cl_resolved_done(&resolved); /* a proof that there is no such name is held, too */
        return err;
    }
    const struct cg_record *record = &resolved.result.record;
    way->resolved = cg_loop_mono(app->loop);
    way->fresh_until.s = cg_loop_wall(app->loop).s + record->ttl_s;
    if (way->fresh_until.s > record->expires.s)
        way->fresh_until = record->expires;
    err = take_gateways(ways, way, url, record);
    if (err == CG_OK) {
        *out_step = CL_WAY_CONNECT;
        err = CG_UNREACHABLE;
    }
    for (size_t i = 0; *out_step > CL_WAY_RESOLVE && i < record->n_gateways; i++) {
        cl_link_free(way->link);
        way->link = NULL;
        err = connect_to(ways, way, record->gateways[i]);
        *out_step = step_of(way->link);
        if (err == CG_OK || !may_try_next(err))
            break;
    }
    cl_resolved_done(&resolved);
    return err;
}

/* A grant that is nearly over is renewed on its connection. */
static cg_err renew(struct cl_ways *ways, struct cl_way *way)
{
    struct waiting waiting = {0};
    const struct cg_span scope = cg_span_str(way->name);

    way->link->ask.scope = &scope;
    way->link->ask.n_scope = 1;
    way->link->owner = &waiting;
    cg_err err = cl_link_renew(way->link);
    if (err == CG_OK)
        err = wait_for(ways, way, &waiting);
    way->link->ask.scope = NULL;
    way->link->ask.n_scope = 0;
    return err;
}

/* Whether a way that is there may still be used. */
static bool is_good(struct cl_ways *ways, struct cl_way *way)
{
    struct cg_wall now = cg_loop_wall(ways->app->loop);

    if (!is_alive(way) || now.s >= way->fresh_until.s)
        return false;
    if (cg_cert_check_times(&way->link->cert, now) != CG_OK)
        return false;
    if (way->is_anonymous)
        return true;
    switch (cg_native_state_at(&way->link->native, now)) {
    case CG_NATIVE_READY:
        return true;
    case CG_NATIVE_RENEW:
        return renew(ways, way) == CG_OK && is_alive(way);
    default:
        return false;
    }
}

cg_err cl_way_find(struct cl_ways *ways, const struct cg_url *url, bool is_anonymous,
                   struct cl_way **out, enum cl_way_step *out_step)
{
    char name[320];
    size_t len = cg_url_name_chars(url);

    *out_step = CL_WAY_RESOLVE;
    if (len >= sizeof name)
        return CG_TOO_LARGE;
    cg_url_name_write(url, name);
    name[len] = '\0';
    struct cl_way *way = find_known(ways, name, is_anonymous);
    if (way && !is_good(ways, way)) {
        cl_way_drop(way);
        way = NULL;
    }
    if (!way) {
        way = find_place(ways);
        memcpy(way->name, name, len + 1);
        way->is_anonymous = is_anonymous;
        cg_err err = open_way(ways, way, url, out_step);
        if (err != CG_OK) {
            cl_way_drop(way);
            return err;
        }
    }
    way->used = ++ways->n_used;
    *out_step = CL_WAY_READY;
    *out = way;
    return CG_OK;
}

/* --- what it means ---------------------------------------------------------------------------- */

int cl_refusal_exit(const struct cl_show *show)
{
    switch (cg_refusal_of_code(cg_span_str(show->problem))) {
    case CG_REFUSAL_CLOCK_SKEW:
        return CL_EXIT_CLOCK;
    case CG_REFUSAL_AUTH_FAILED:
        return CL_EXIT_IDENTITY;
    case CG_REFUSAL_RATE_LIMITED:
    case CG_REFUSAL_UNAVAILABLE:
        return CL_EXIT_LATER;
    default:
        return CL_EXIT_REFUSED;
    }
}

static int step_exit(const struct cl_app *app, enum cl_way_step step, cg_err err)
{
    switch (step) {
    case CL_WAY_RESOLVE:
        return err == CG_NOT_FOUND ? CL_EXIT_UNRESOLVED : CL_EXIT_RECORD;
    case CL_WAY_CERTIFICATE:
        return CL_EXIT_CERTIFICATE;
    case CL_WAY_GRANT:
        return err == CG_DENIED ? cl_refusal_exit(app->show) : CL_EXIT_CHANNEL;
    default:
        return (int)cl_exit_of(err);
    }
}

int cl_way_exit(const struct cl_app *app, enum cl_way_step step, cg_err err)
{
    switch (err) {
    case CG_ROLLBACK:
    case CG_CONFLICT:
    case CG_UNREACHABLE:
    case CG_TIMEOUT:
    case CG_NO_MEMORY:
    case CG_CLOSED:
    case CG_TLS:
    case CG_PROTOCOL:
    case CG_RATE:
    case CG_BUSY:
    case CG_SKEW:
        return (int)cl_exit_of(err);
    default:
        return step_exit(app, step, err);
    }
}
