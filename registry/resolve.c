/* GET /resolve/{plane}/{authority}: the record, and what proves it: that it is logged, that it is
 * the name's current one, and whose keys signed it.  What there is not is proved as well.
 *
 * The ledger is asked first, then the database for the record that the ledger calls current. */
#include "registry/ask.h"
#include "registry/office.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/record/resolve.h"

#include <httpcg/receipt.h>
#include <httpcg/url.h>

#include <stdlib.h>

enum tag {
    STAPLE = 1,
    RECORD,
};

struct resolving {
    struct cg_pending pending;
    struct cg_span name;   /* borrows from the request */
    struct cg_span staple; /* in the reply's arena */
    struct cg_hash value;  /* what the map says is current */
    bool is_bare;
};

/* --- the record of a commitment --- */

struct find_job {
    struct rg_store_job job;
    struct cg_arena arena;
    char name[RG_NAME_MAX_BYTES];
    size_t name_len;
    struct cg_hash commitment;
    struct cg_stored_name found;
    struct cg_span wallet_doc;
};

/* The one settled last; or, where the ledger is a moment ahead of us, the one proposed. */
static cg_err find(struct rg_store_job *job, struct cg_store *store)
{
    struct find_job *f = (struct find_job *)job;
    struct cg_span name = cg_span_of(f->name, f->name_len);

    cg_err err = cg_store_name_current(store, name, &f->arena, &f->found);
    if (err == CG_NOT_FOUND || (err == CG_OK && !cg_hash_eq(&f->found.commitment, &f->commitment)))
        err = cg_store_name_proposed(store, name, CG_LIT(""), &f->arena, &f->found);
    CG_TRY(err);
    if (!cg_hash_eq(&f->found.commitment, &f->commitment))
        return CG_NOT_FOUND;
    return cg_store_wallet(store, f->found.owner, &f->arena, &f->wallet_doc);
}

static void free_find(struct rg_store_job *job)
{
    cg_arena_done(&((struct find_job *)job)->arena);
    free(job);
}

static cg_err begin_find(struct resolving *r)
{
    struct find_job *f = calloc(1, sizeof *f);

    if (!f)
        return CG_NO_MEMORY;
    f->job = (struct rg_store_job){.run = find, .free = free_find};
    cg_arena_init(&f->arena, 1 << 20);
    memcpy(f->name, r->name.at, r->name.len);
    f->name_len = r->name.len;
    f->commitment = r->value;
    return rg_store_begin(rg_of(&r->pending), &f->job, cg_pending_ticket(&r->pending), RECORD);
}

/* --- answers --- */

static void send(struct resolving *r, const struct cg_resolve_answer *answer, bool is_gone)
{
    CG_AUTO(buf) struct cg_buf body = {0};
    struct cg_reply *out = r->pending.reply;
    cg_err err;

    cg_buf_init(&body, CG_RESOLVE_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&body);
    err = is_gone ? cg_resolve_write_denial(answer, cg_reply_id(out), &w)
                  : cg_resolve_write(answer, &w);
    if (err != CG_OK) {
        cg_pending_refuse(&r->pending, err);
        return;
    }
    (void)cg_pending_close(&r->pending);
    cg_reply_field(out, CG_TOKEN_CACHE_CONTROL, CG_LIT("no-store"));
    cg_reply_add(out, cg_buf_span(&body));
    cg_reply_send(out, is_gone ? 404 : 200, is_gone ? CG_REFUSAL_TYPE : "application/json");
}

static void deny(struct resolving *r)
{
    const struct cg_resolve_answer answer = {.staple = r->staple};

    send(r, &answer, true);
}

/* For people who look at things by hand; nobody can verify it. */
static void send_bare(struct resolving *r, struct cg_span record)
{
    struct cg_reply *out = cg_pending_close(&r->pending);

    cg_reply_add(out, record);
    cg_reply_send(out, 200, "application/json");
}

static void answer(struct resolving *r, const struct find_job *f)
{
    struct rg_registry *registry = rg_of(&r->pending);
    const struct cg_resolve_answer full = {
        .record = f->found.record,
        .staple = r->staple,
        .wallet_doc = f->wallet_doc,
        .operator_doc = rg_office_doc(registry->office),
        .operator_did = registry->did,
    };

    if (r->is_bare)
        send_bare(r, f->found.record);
    else
        send(r, &full,
             f->found.is_tombstone ||
                 f->found.expires_at.s <= cg_loop_wall(registry->setup.loop).s);
}

/* --- steps --- */

/* Takes the staple, and what its first proof says about the name. */
static cg_err take_staple(struct resolving *r, struct cg_call *call, bool *out_is_there)
{
    struct cg_arena *arena = cg_reply_arena(r->pending.reply);
    struct cg_staple *staple = cg_arena_take(arena, sizeof *staple);
    struct cg_map_proof proof;

    if (!staple)
        return CG_NO_MEMORY;
    CG_TRY(rg_told_staple(call, arena, &r->staple));
    if (cg_staple_read(r->staple, staple) != CG_OK || staple->n_map == 0 ||
        cg_map_proof_read(staple->map[0], &proof) != CG_OK)
        return CG_PROTOCOL;
    *out_is_there = proof.kind == CG_MAP_PRESENT;
    r->value = proof.value;
    return CG_OK;
}

static void on_call(struct cg_pending *pending, struct cg_call *call)
{
    struct resolving *r = (struct resolving *)pending;
    bool is_there = false;
    cg_err err;

    if (call->tag == STAPLE) {
        err = take_staple(r, call, &is_there);
        if (err == CG_OK && !is_there) {
            deny(r);
            return;
        }
        if (err == CG_OK)
            err = begin_find(r);
        if (err != CG_OK)
            cg_pending_refuse(pending, err == CG_PROTOCOL ? CG_BUSY : err);
        return;
    }
    const struct find_job *f = cg_job_work(call);
    if (call->err == CG_OK && f)
        answer(r, f);
    else /* a name of another registry on the same ledger, or one that changes right now */
        cg_pending_refuse(pending, call->err == CG_NOT_FOUND ? CG_BUSY : call->err);
}

void rg_resolve(const struct cg_message *in, struct cg_reply *out)
{
    struct rg_registry *registry = in->role;
    char name[RG_NAME_MAX_BYTES], format[8];
    struct cg_writer w = cg_writer_fixed(name, sizeof name);
    struct resolving *r;
    size_t len;

    cg_put(&w, in->param[0]);
    cg_put_str(&w, "/");
    cg_put(&w, in->param[1]);
    if (cg_writer_end(&w) != CG_OK || cg_url_check_name(cg_writer_span(&w)) != CG_OK) {
        cg_reply_refuse(out, CG_REFUSAL_BAD_REQUEST, NULL);
        return;
    }
    if (cg_span_is(in->param[0], "gw")) {
        cg_reply_refuse(out, CG_REFUSAL_NOT_IMPLEMENTED, NULL);
        return;
    }
    r = cg_pending_open(&registry->pending, out, sizeof *r, on_call);
    if (!r)
        return;
    r->is_bare = cg_message_query(in, "format", format, sizeof format, &len) == CG_OK &&
                 cg_span_is(cg_span_of(format, len), "bare");
    cg_err err = cg_arena_copy(cg_reply_arena(out), cg_writer_span(&w), &r->name);
    if (err == CG_OK)
        err = rg_ask_staple(registry, "name", r->name, cg_pending_ticket(&r->pending), STAPLE);
    if (err != CG_OK)
        cg_pending_refuse(&r->pending, err);
}
