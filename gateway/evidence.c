#include "gateway/evidence.h"

#include "gateway/request.h"
#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"

#include <pthread.h>
#include <stdlib.h>

#define PLACES 4096
/* The grant is a document's size at most, and two signatures and the signed bytes stand beside it.
 */
#define EVIDENCE_MAX_BYTES (CG_DOCUMENT_MAX_BYTES + CG_URI_MAX_BYTES + 2 * CG_HSIG_BYTES + 4096)

struct kept {
    struct kept *next;            /* in its place */
    struct kept *older, *younger; /* all of them, by the end of their time */
    struct cg_hash name;
    struct cg_mono until;
    size_t len;
    uint8_t bytes[];
};

struct gw_evidence {
    pthread_mutex_t lock;
    struct kept *places[PLACES];
    struct kept *oldest, *youngest;
    int64_t bytes; /* of all that is kept, its own memory included */
    struct cg_loop *services;
    struct cg_route_table routes;
};

/* --- the store, under the lock --------------------------------------------------------------- */

static struct kept **place_of(struct gw_evidence *store, const struct cg_hash *name)
{
    struct kept **at = &store->places[(name->bytes[0] << 8 | name->bytes[1]) % PLACES];

    while (*at && !cg_hash_eq(&(*at)->name, name))
        at = &(*at)->next;
    return at;
}

static void unlink_age(struct gw_evidence *store, struct kept *kept)
{
    if (kept->older)
        kept->older->younger = kept->younger;
    else
        store->oldest = kept->younger;
    if (kept->younger)
        kept->younger->older = kept->older;
    else
        store->youngest = kept->older;
}

static void link_youngest(struct gw_evidence *store, struct kept *kept, struct cg_mono until)
{
    kept->until = until;
    kept->older = store->youngest;
    kept->younger = NULL;
    if (store->youngest)
        store->youngest->younger = kept;
    else
        store->oldest = kept;
    store->youngest = kept;
}

static int64_t weight_of(size_t len)
{
    return (int64_t)(sizeof(struct kept) + len);
}

static void drop_over(struct gw_evidence *store, struct cg_mono now)
{
    while (store->oldest && cg_mono_is_due(store->oldest->until, now)) {
        struct kept *kept = store->oldest;

        *place_of(store, &kept->name) = kept->next;
        unlink_age(store, kept);
        store->bytes -= weight_of(kept->len);
        free(kept);
    }
}

static cg_err keep(struct gw_evidence *store, const struct cg_hash *name, struct cg_span bytes,
                   int64_t max, struct cg_mono now)
{
    struct cg_mono until = cg_mono_after(now, GW_EVIDENCE_LIFE_MS);
    struct kept **at, *kept;

    drop_over(store, now);
    at = place_of(store, name);
    if (*at) {
        unlink_age(store, *at);
        link_youngest(store, *at, until);
        return CG_OK;
    }
    if (weight_of(bytes.len) > max - store->bytes)
        return CG_BUSY;
    kept = malloc(sizeof *kept + bytes.len);
    if (!kept)
        return CG_NO_MEMORY;
    kept->next = NULL;
    kept->name = *name;
    kept->len = bytes.len;
    memcpy(kept->bytes, bytes.at, bytes.len);
    *at = kept;
    link_youngest(store, kept, until);
    store->bytes += weight_of(bytes.len);
    return CG_OK;
}

cg_err gw_evidence_keep(struct gw_evidence *store, const struct cg_hash *name, struct cg_span bytes,
                        int64_t max, struct cg_mono now)
{
    pthread_mutex_lock(&store->lock);
    cg_err err = keep(store, name, bytes, max, now);
    pthread_mutex_unlock(&store->lock);
    return err;
}

cg_err gw_evidence_find(struct gw_evidence *store, const struct cg_hash *name, struct cg_mono now,
                        struct cg_buf *out)
{
    cg_err err = CG_NOT_FOUND;

    pthread_mutex_lock(&store->lock);
    drop_over(store, now);
    const struct kept *kept = *place_of(store, name);
    if (kept)
        err = cg_buf_add(out, cg_span_of(kept->bytes, kept->len));
    pthread_mutex_unlock(&store->lock);
    return err;
}

/* --- where it is fetched --------------------------------------------------------------------- */

static void fetch(const struct cg_message *in, struct cg_reply *out)
{
    struct gw_evidence *store = in->role;
    CG_AUTO(buf) struct cg_buf found = {0};
    struct cg_hash name;

    cg_buf_init(&found, EVIDENCE_MAX_BYTES);
    cg_err err = cg_hex_read(in->param[0], name.bytes, sizeof name.bytes);
    if (err == CG_OK)
        err = gw_evidence_find(store, &name, cg_loop_mono(store->services), &found);
    if (err != CG_OK) {
        cg_reply_refuse(out, err == CG_NO_MEMORY ? CG_REFUSAL_UNAVAILABLE : CG_REFUSAL_NOT_FOUND,
                        NULL);
        return;
    }
    cg_reply_field(out, CG_TOKEN_CACHE_CONTROL, CG_LIT("no-store"));
    cg_reply_add(out, cg_buf_span(&found));
    cg_reply_send(out, 200, "application/cbor");
}

static const struct cg_route routes[] = {{"GET", "/evidence/{name}", fetch}};

const struct cg_route_table *gw_evidence_routes(struct gw_evidence *store)
{
    return &store->routes;
}

cg_err gw_evidence_new(struct cg_loop *services, struct gw_evidence **out)
{
    struct gw_evidence *store = calloc(1, sizeof *store);

    if (!store)
        return CG_NO_MEMORY;
    pthread_mutex_init(&store->lock, NULL);
    store->services = services;
    store->routes = (struct cg_route_table){
        .name = "gateway", .routes = routes, .n_routes = CG_COUNT(routes), .role = store};
    *out = store;
    return CG_OK;
}

void gw_evidence_free(struct gw_evidence *store)
{
    if (!store)
        return;
    while (store->oldest) {
        struct kept *kept = store->oldest;

        store->oldest = kept->younger;
        free(kept);
    }
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* --- a request's ----------------------------------------------------------------------------- */

static cg_err put_name(struct cg_arena *arena, const struct cg_hash *name, struct cg_span *out)
{
    char *text = cg_arena_take(arena, 2 * CG_HASH_BYTES);

    if (!text)
        return CG_NO_MEMORY;
    cg_hex_write(cg_hash_span(name), text);
    *out = cg_span_of(text, 2 * CG_HASH_BYTES);
    return CG_OK;
}

/* Keeps bytes and gives their name. */
static cg_err refer(struct gw_evidence *store, struct cg_span bytes, int64_t max,
                    struct cg_mono now, struct cg_arena *arena, struct cg_span *out)
{
    struct cg_hash name;

    CG_TRY(cg_sha256(bytes, &name));
    CG_TRY(gw_evidence_keep(store, &name, bytes, max, now));
    return put_name(arena, &name, out);
}

cg_err gw_evidence_give(struct gw_evidence *store, struct gw_request *req, int64_t max,
                        struct cg_mono now, struct gw_stamp *stamp)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_arena *arena = &req->x->arena;
    uint8_t doc[CG_WALLET_DOC_BYTES];

    cg_buf_init(&wire, EVIDENCE_MAX_BYTES);
    CG_TRY(cg_gate_evidence(&req->sapi, req->sig_job, &wire));
    size_t n = cg_base64_chars(CG_BASE64URL, wire.len);
    if (n <= GW_EVIDENCE_FIELD_MAX_CHARS) {
        char *text = cg_arena_take(arena, n);

        if (!text)
            return CG_NO_MEMORY;
        cg_base64_write(CG_BASE64URL, cg_buf_span(&wire), text);
        stamp->evidence = cg_span_of(text, n);
    } else if (!store) {
        return CG_UNSUPPORTED;
    } else {
        CG_TRY(refer(store, cg_buf_span(&wire), max, now, arena, &stamp->evidence_ref));
    }
    if (!store || !cg_gate_wallet_doc(&req->sapi, doc))
        return CG_OK;
    return refer(store, CG_BYTES(doc), max, now, arena, &stamp->wallet_doc_ref);
}
