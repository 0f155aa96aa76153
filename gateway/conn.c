#include "gateway/conn.h"

#include "gateway/identity.h"
#include "gateway/metrics.h"
#include "gateway/request.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/stack.h"

#include <stdlib.h>

#define CONN_OF(t) ((struct gw_conn *)((char *)(t)-offsetof(struct gw_conn, timer)))

/* Who moves less in timeouts.stall, 34 bytes a second as it is set by default, only wants to last.
 */
#define STALL_MIN_BYTES 1024

/* Of all that this thread's listeners take three quarters may come from one prefix: whoever opens
 * connections and says nothing leaves some for the others. */
static size_t conns_max(const struct gw_thread *thread)
{
    size_t all = (size_t)thread->options->limits.connections / thread->gw->setup.n_threads + 1;

    return all - all / 4;
}

cg_err gw_accept(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                 struct cg_engine **engine, void **owner)
{
    struct gw_thread *thread = ctx;
    struct cg_tls *tls;

    gw_thread_refresh(thread);
    if (!thread->sites)
        return CG_BUSY;
    struct gw_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return CG_NO_MEMORY;
    conn->place = gw_share_place(cg_address_ip(&peer->at));
    if (!gw_share_take(&thread->conns, conn->place, conns_max(thread))) {
        free(conn);
        return CG_BUSY;
    }
    conn->thread = thread;
    conn->identity = gw_identity_ref(thread->identity);
    const struct cg_engine_conf conf = {
        .idle_ms = (uint32_t)thread->options->timeouts.idle_ms,
        .stall_ms = (uint32_t)thread->options->timeouts.stall_ms,
        .stall_min_bytes = STALL_MIN_BYTES,
        .life_ms = CG_GATE_LIFE_US / 1000,
        .pad_heads_to = 256,
        .scratch = cg_loop_scratch(loop),
        .blocks = cg_loop_blocks(loop),
    };
    cg_err err = cg_tls_accept(thread->tls, thread->sites, &tls);
    if (err == CG_OK)
        err = cg_stack_accept(&conf, tls, CG_SPEAKS_ALPN, cg_loop_mono(loop), engine);
    if (err != CG_OK) {
        gw_share_give(&thread->conns, conn->place);
        gw_identity_unref(conn->identity);
        free(conn);
        return err;
    }
    cg_metric_add(thread->metrics, &gw_metric_table, GW_METRIC_CONNECTIONS, CG_LABELS(), 1);
    *owner = conn;
    return CG_OK;
}

/* The gate has a deadline of its own: ten seconds to a first grant, a day of life. */
static void on_timer(struct cg_timer *timer)
{
    struct gw_conn *conn = CONN_OF(timer);
    struct cg_loop *loop = conn->thread->loop;

    cg_gate_tick(&conn->gate, cg_loop_mono(loop));
    if (conn->gate.state == CG_GATE_CLOSING)
        cg_conn_drain(conn->conn);
    else
        cg_loop_set(loop, timer, cg_gate_deadline(&conn->gate));
}

static cg_err open_gate(struct gw_conn *conn)
{
    struct gw_thread *thread = conn->thread;
    struct cg_tls *tls = cg_stack_tls(cg_conn_engine(conn->conn));
    const struct cg_tls_site *site = cg_tls_site_of(tls);
    struct cg_secret exporter;

    CG_TRY(cg_tls_export(tls, CG_EXPORTER_LABEL, &exporter));
    cg_err err = cg_gate_init(&conn->gate, thread->kit, &exporter, cg_tls_site_spki(site),
                              cg_tls_site_fingerprint(site), cg_loop_mono(thread->loop));
    cg_secret_done(&exporter);
    return err;
}

static void on_open(struct cg_conn *c)
{
    struct gw_conn *conn = cg_conn_owner(c);
    struct cg_loop *loop = conn->thread->loop;

    conn->conn = c;
    conn->ip = cg_address_ip(&cg_conn_peer(c)->at);
    cg_timer_init(&conn->timer, on_timer);
    if (open_gate(conn) != CG_OK) {
        cg_conn_close(c, CG_CRYPTO);
        return;
    }
    conn->has_gate = true;
    cg_loop_set(loop, &conn->timer, cg_gate_deadline(&conn->gate));
}

static void on_exchange(struct cg_conn *c, struct cg_exchange *x, unsigned what)
{
    struct gw_conn *conn = cg_conn_owner(c);

    conn->conn = c;
    if (x->owner) {
        gw_request_event(x->owner, what);
    } else if ((what & CG_X_RESET) == 0 && conn->has_gate) {
        /* A revoked certificate's connections are to be made anew. */
        if (atomic_load_explicit(&conn->identity->is_revoked, memory_order_relaxed))
            cg_gate_close(&conn->gate);
        gw_request_begin(conn, x, what);
    } else {
        cg_exchange_release(x);
    }
    if (conn->has_gate && conn->gate.state == CG_GATE_CLOSING)
        cg_conn_drain(c);
}

void gw_give_up(void *owner)
{
    struct gw_conn *conn = owner;

    cg_metric_add(conn->thread->metrics, &gw_metric_table, GW_METRIC_CONNECTIONS, CG_LABELS(), -1);
    gw_share_give(&conn->thread->conns, conn->place);
    gw_identity_unref(conn->identity);
    free(conn);
}

static void on_close(struct cg_conn *c, cg_err why)
{
    struct gw_conn *conn = cg_conn_owner(c);

    if (why != CG_OK && why != CG_CLOSED && why != CG_TIMEOUT) {
        char at[CG_ADDRESS_TEXT_BYTES];
        struct cg_tls *tls = cg_stack_tls(cg_conn_engine(c));

        cg_log(conn->thread->gw->setup.log, INFO, connection_failed,
               CG_STR("peer", cg_address_write(&cg_conn_peer(c)->at, at)), CG_ERR(why),
               CG_STR("tls", tls && cg_tls_why(tls) != CG_OK ? cg_tls_reason(tls) : NULL));
    }
    while (conn->requests)
        gw_request_end(conn->requests);
    gw_creds_done(conn);
    if (conn->has_gate) {
        cg_loop_unset(conn->thread->loop, &conn->timer);
        cg_gate_done(&conn->gate);
    }
    gw_give_up(conn);
}

const struct cg_conn_events gw_conn_events = {on_open, on_exchange, on_close};
