#include "tests/support/duplex.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/span.h"

#define ROUNDS_MAX 100000
#define HELD_MAX (256 * 1024)

void cg_duplex_join(struct cg_duplex *d, struct cg_engine *client, struct cg_engine *server)
{
    d->client = client;
    d->server = server;
    cg_buf_init(&d->to_server, HELD_MAX);
    cg_buf_init(&d->to_client, HELD_MAX);
}

void cg_duplex_done(struct cg_duplex *d)
{
    cg_engine_free(d->client);
    cg_engine_free(d->server);
    cg_buf_done(&d->to_server);
    cg_buf_done(&d->to_client);
    *d = (struct cg_duplex){0};
}

size_t cg_give(struct cg_engine *e, struct cg_span bytes, struct cg_mono now)
{
    size_t taken = 0;
    cg_err err = cg_engine_feed(e, bytes, now, &taken);

    (void)err;
    return taken;
}

void cg_take_out(struct cg_engine *e, struct cg_buf *out)
{
    cg_err err = cg_engine_pull(e, out);

    (void)err;
}

static bool carry(struct cg_duplex *d, struct cg_engine *from, struct cg_buf *buf,
                  struct cg_engine *to, size_t *count, bool *ended)
{
    size_t before = buf->len, taken_all = 0;

    if (cg_engine_wants(from) & CG_WANT_WRITE)
        cg_take_out(from, buf);
    *count += buf->len - before;
    if (buf->len > d->most_held)
        d->most_held = buf->len;
    bool moved = buf->len > before;
    while (taken_all < buf->len && (cg_engine_wants(to) & CG_WANT_READ)) {
        struct cg_span rest = cg_span_from(cg_buf_span(buf), taken_all);
        if (d->piece)
            rest = cg_span_first(rest, d->piece);
        size_t taken = cg_give(to, rest, d->now);
        taken_all += taken;
        if (taken == 0)
            break;
    }
    if (cg_engine_state(to) == CG_ENGINE_CLOSED)
        taken_all = buf->len; /* nobody reads any more */
    cg_buf_drop(buf, taken_all);
    if (!*ended && buf->len == 0 && cg_engine_state(from) == CG_ENGINE_CLOSED &&
        !(cg_engine_wants(from) & CG_WANT_WRITE)) {
        *ended = true;
        cg_engine_eof(to, d->now);
        return true;
    }
    return moved || taken_all > 0;
}

void cg_duplex_run(struct cg_duplex *d)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        bool moved = carry(d, d->client, &d->to_server, d->server, &d->n_to_server, &d->ended[0]);
        moved |= carry(d, d->server, &d->to_client, d->client, &d->n_to_client, &d->ended[1]);
        if (!moved)
            return;
    }
    fprintf(stderr, "duplex: the engines talk without end\n");
    abort();
}

struct cg_exchange *cg_duplex_wait(struct cg_duplex *d, struct cg_engine *side, unsigned *what)
{
    struct cg_exchange *x = cg_engine_ready(side, what);

    if (x)
        return x;
    cg_duplex_run(d);
    return cg_engine_ready(side, what);
}

bool cg_duplex_until(struct cg_duplex *d, struct cg_engine *side, struct cg_exchange *x,
                     unsigned want)
{
    unsigned seen = 0;

    for (int round = 0; round < ROUNDS_MAX; round++) {
        unsigned what;
        struct cg_exchange *y = cg_duplex_wait(d, side, &what);
        if (!y)
            return false;
        if (y == x)
            seen |= what;
        if ((seen & want) == want)
            return true;
    }
    return false;
}
