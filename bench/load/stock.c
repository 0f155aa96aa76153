/* stock: requests signed ahead. A signature is good until the minute it names and the next one are
 * over; a stock is made new well before. */
#include "bench/load/load.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

#include <stdlib.h>

/* Made when the stock ran out in the middle of a phase. */
#define REFILL 64
/* A gateway takes this minute and the one before: what names the one before last is of no use. */
#define SAFETY_S 5

void ld_stock_done(struct ld_stock *stock)
{
    for (size_t i = stock->next; i < stock->n; i++) {
        if (stock->at[i].sent)
            cg_native_sent_done(stock->at[i].sent);
        free(stock->at[i].sent);
    }
    free(stock->at);
    *stock = (struct ld_stock){0};
}

static struct cg_wall gateway_time(const struct ld_conn *conn)
{
    struct cg_wall now = cg_loop_wall(conn->run->app.loop);

    return (struct cg_wall){now.s + conn->link->native.offset_s};
}

static cg_err keep(struct ld_signed *one, struct cg_native_sent *sent)
{
    one->sent = malloc(sizeof *one->sent);
    if (!one->sent)
        return CG_NO_MEMORY;
    *one->sent = *sent;
    return CG_OK;
}

static cg_err sign(struct ld_conn *conn, struct ld_signed *one, struct cg_buf *qlock,
                   struct cg_buf *sapi)
{
    struct ld_run *run = conn->run;
    struct cg_native *native = &conn->link->native;
    const struct cg_native_ask ask = {
        .head = &conn->head, .url = &run->url, .mode = CG_SAPI_GRANT, .body = {CG_BODY_NONE}};
    struct cg_native_sent sent;

    cg_buf_clear(qlock);
    cg_buf_clear(sapi);
    CG_TRY(cg_native_request(native, run->app.kit, &ask, cg_loop_wall(run->app.loop), &sent, qlock,
                             sapi));
    if (sapi->len > sizeof one->sapi || qlock->len > sizeof conn->stock.qlock) {
        cg_native_sent_done(&sent);
        return CG_TOO_LARGE;
    }
    memcpy(one->sapi, sapi->at, sapi->len);
    one->len = sapi->len;
    memcpy(conn->stock.qlock, qlock->at, qlock->len);
    conn->stock.qlock_len = qlock->len;
    if (native->grant.counter % run->options->every == 0)
        return keep(one, &sent);
    cg_native_sent_done(&sent);
    return CG_OK;
}

cg_err ld_stock_make(struct ld_conn *conn, size_t n)
{
    struct ld_stock *stock = &conn->stock;
    CG_AUTO(buf) struct cg_buf qlock = {0};
    CG_AUTO(buf) struct cg_buf sapi = {0};

    ld_stock_done(stock);
    stock->at = calloc(n, sizeof *stock->at);
    if (!stock->at)
        return CG_NO_MEMORY;
    cg_buf_init(&qlock, CG_QLOCK_MAX_BYTES);
    cg_buf_init(&sapi, CG_SAPI_MAX_BYTES);
    stock->minute = cg_epoch_to_send(gateway_time(conn));
    /* All of them have the QLOCK header of the first: its minute must not end meanwhile. */
    while (stock->n < n && cg_epoch_to_send(gateway_time(conn)) == stock->minute) {
        CG_TRY(sign(conn, &stock->at[stock->n], &qlock, &sapi));
        stock->n++;
    }
    return CG_OK;
}

static bool is_stale(const struct ld_conn *conn)
{
    uint64_t now = (uint64_t)gateway_time(conn).s;

    return now + SAFETY_S >= (conn->stock.minute + 2) * 60;
}

cg_err ld_stock_take(struct ld_conn *conn, struct ld_signed **out)
{
    struct ld_stock *stock = &conn->stock;

    if (stock->next == stock->n || is_stale(conn)) {
        conn->run->n_signed_late += conn->run->is_measured ? REFILL : 0;
        CG_TRY(ld_stock_make(conn, REFILL));
        if (stock->n == 0)
            return CG_BUSY;
    }
    *out = &stock->at[stock->next++];
    return CG_OK;
}
