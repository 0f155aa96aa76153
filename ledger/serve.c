/* Answers out of the database: each is a question that the reading thread works off in one view. */
#include "ledger/inner.h"

#include "ledger/view.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/tile.h"
#include "lib/wire/cbor.h"

#include <stdlib.h>

/* A full bundle of entries, a staple, an object. */
#define ANSWER_MAX_BYTES (512 * 1024)
#define ID_MAX_BYTES 512
#define KIND_MAX_BYTES 16
#define CBOR_TYPE "application/cbor"

/* Bytes that never change may be kept for ever; what depends on the head must be asked again. */
#define FOREVER CG_LIT("public, max-age=31536000, immutable")
#define NEVER CG_LIT("no-store")

static struct lg_ledger *ledger_of(struct cg_pending *pending)
{
    return pending->all->owner;
}

struct question {
    struct cg_store *reader;
    cg_err (*answer)(struct question *q, struct lg_view *view);

    /* what is asked for; what it means depends on the answer function */
    struct cg_hash hash;
    uint64_t from, to;
    bool has_to;
    char kind[KIND_MAX_BYTES + 1];
    char id[ID_MAX_BYTES];
    size_t id_len;
    struct cg_waddr waddr;
    struct cg_tile tile;

    struct cg_buf body;
    const char *type;
    bool is_immutable;
};

static cg_err run_question(void *work)
{
    struct question *q = work;
    struct lg_view view;

    cg_err err = lg_view_begin(q->reader, &view);
    if (err == CG_OK)
        err = q->answer(q, &view);
    lg_view_end(&view);
    return err;
}

static void free_question(void *work)
{
    struct question *q = work;

    cg_buf_done(&q->body);
    free(q);
}

static const struct cg_job_kind kind_of_job = {
    .name = "ledger read", .run = run_question, .free = free_question};

static void on_answer(struct cg_pending *pending, struct cg_call *call)
{
    struct question *q = cg_job_work(call);

    if (call->err != CG_OK && call->err != CG_NOT_FOUND) {
        cg_pending_refuse(pending, call->err);
        return;
    }
    struct cg_reply *out = cg_pending_close(pending);
    if (call->err == CG_NOT_FOUND || !q) {
        cg_reply_refuse(out, CG_REFUSAL_NOT_FOUND, NULL);
        return;
    }
    cg_reply_field(out, CG_TOKEN_CACHE_CONTROL, q->is_immutable ? FOREVER : NEVER);
    cg_reply_add(out, cg_buf_span(&q->body));
    cg_reply_send(out, 200, q->type);
}

static struct question *new_question(struct lg_ledger *ledger,
                                     cg_err (*answer)(struct question *, struct lg_view *))
{
    struct question *q = calloc(1, sizeof *q);

    if (q) {
        q->reader = ledger->reader;
        q->answer = answer;
        q->type = CBOR_TYPE;
        cg_buf_init(&q->body, ANSWER_MAX_BYTES);
    }
    return q;
}

/* Hands a question over; q may be NULL where there was no memory for it. */
static void put(struct cg_pending *pending, struct question *q)
{
    cg_err err = CG_NO_MEMORY;

    pending->on_call = on_answer;
    if (q)
        err = cg_job_begin(ledger_of(pending)->read_thread, &kind_of_job, q,
                           cg_reply_loop(pending->reply), cg_pending_ticket(pending), 0, CG_NEVER);
    if (err != CG_OK)
        cg_pending_refuse(pending, err);
}

/* --- parameters --- */

/* A parameter's text. CG_NOT_FOUND where it is absent. */
static cg_err get_text(const struct cg_message *in, const char *name, char *out, size_t room,
                       size_t *out_len)
{
    cg_err err = cg_message_query(in, name, out, room, out_len);

    return err == CG_OK && *out_len == 0 ? CG_SYNTAX : err;
}

static cg_err get_hash(const struct cg_message *in, const char *name, struct cg_hash *out)
{
    char text[2 * CG_HASH_BYTES + 1];
    size_t len;

    CG_TRY(get_text(in, name, text, sizeof text, &len));
    return cg_hex_read(cg_span_of(text, len), out->bytes, CG_HASH_BYTES);
}

static cg_err get_number(const struct cg_message *in, const char *name, uint64_t *out)
{
    char text[20];
    size_t len;
    uint64_t n = 0;

    CG_TRY(get_text(in, name, text, sizeof text, &len));
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || (len > 1 && text[0] == '0') || n > INT64_MAX / 10)
            return CG_SYNTAX;
        n = 10 * n + (uint64_t)(text[i] - '0');
    }
    *out = n;
    return CG_OK;
}

/* kind and id of a key of the map. */
static cg_err get_key(const struct cg_message *in, struct question *q)
{
    static const char *const kinds[] = {"did", "tlsls-rev", "reg", "policy", "kem", "relays"};
    size_t len;

    CG_TRY(get_text(in, "kind", q->kind, KIND_MAX_BYTES, &len));
    q->kind[len] = '\0';
    CG_TRY(get_text(in, "id", q->id, sizeof q->id, &q->id_len));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (cg_span_is(cg_span_of(q->kind, len), kinds[i]))
            return CG_OK;
    return CG_SYNTAX;
}

/* Hands the question over, or refuses what was malformed. */
static void put_if(cg_err err, struct lg_ledger *ledger, struct cg_reply *out, struct question *q)
{
    struct cg_pending *pending;

    if (q && err != CG_OK) {
        free_question(q);
        cg_reply_refuse(out, CG_REFUSAL_BAD_REQUEST, NULL);
    } else if ((pending = cg_pending_open(&ledger->pending, out, sizeof *pending, on_answer))) {
        put(pending, q);
    } else if (q) {
        free_question(q);
    }
}

/* --- the log --- */

void lg_get_checkpoint(const struct cg_message *in, struct cg_reply *out)
{
    struct lg_ledger *ledger = in->role;

    if (ledger->published.len == 0) {
        cg_reply_field(out, CG_TOKEN_RETRY_AFTER, CG_LIT("1"));
        cg_reply_refuse(out, CG_REFUSAL_UNAVAILABLE, NULL);
        return;
    }
    cg_reply_field(out, CG_TOKEN_CACHE_CONTROL, NEVER);
    cg_reply_add(out, cg_buf_span(&ledger->published));
    cg_reply_send(out, 200, "text/plain; charset=utf-8");
}

static cg_err answer_bundle(struct question *q, struct lg_view *view)
{
    struct cg_stored_entry *entries = cg_arena_take(&view->arena, q->tile.width * sizeof *entries);
    struct cg_writer w = cg_writer_into(&q->body);

    if (!entries)
        return CG_NO_MEMORY;
    CG_TRY(cg_store_log_entries(view->store, q->tile.index * CG_TILE_WIDTH, q->tile.width,
                                &view->arena, entries));
    for (size_t i = 0; i < q->tile.width; i++)
        cg_bundle_add(&w, entries[i].data);
    return cg_writer_end(&w);
}

static cg_err answer_tile(struct question *q, struct lg_view *view)
{
    struct cg_nodes nodes = lg_nodes_of(view->store);
    struct cg_writer w = cg_writer_into(&q->body);

    if (!cg_tile_is_in(&q->tile, view->head.size))
        return CG_NOT_FOUND;
    q->type = "application/octet-stream";
    q->is_immutable = true; /* a partial tile, too, only ever grows under another name */
    return q->tile.is_entries ? answer_bundle(q, view) : cg_tile_hashes(&q->tile, &nodes, &w);
}

void lg_get_tile(const struct cg_message *in, struct cg_reply *out)
{
    struct lg_ledger *ledger = in->role;
    struct question *q = new_question(ledger, answer_tile);

    put_if(q ? cg_tile_read(cg_span_from(in->path, 1), &q->tile) : CG_OK, ledger, out, q);
}

static cg_err answer_object(struct question *q, struct lg_view *view)
{
    struct cg_span object;

    CG_TRY(cg_store_log_object(view->store, &q->hash, &view->arena, &object));
    q->type = "application/octet-stream";
    q->is_immutable = true;
    return cg_buf_add(&q->body, object);
}

void lg_get_object(const struct cg_message *in, struct cg_reply *out)
{
    struct lg_ledger *ledger = in->role;
    struct question *q = new_question(ledger, answer_object);

    put_if(q ? cg_hex_read(in->param[0], q->hash.bytes, CG_HASH_BYTES) : CG_OK, ledger, out, q);
}

/* --- proofs --- */

static cg_err answer_inclusion(struct question *q, struct lg_view *view)
{
    struct cg_nodes nodes = lg_nodes_of(view->store);
    struct cg_writer w = cg_writer_into(&q->body);
    struct cg_stored_entry entry;
    struct cg_leaf_proof proof;
    uint64_t size = q->has_to ? q->to : view->head.size;

    CG_TRY(lg_view_find(view, &q->hash, &entry));
    if (size > view->head.size || entry.index >= size)
        return CG_NOT_FOUND;
    proof.index = entry.index;
    proof.entry = entry.data;
    CG_TRY(cg_inclusion_make(&nodes, entry.index, size, &proof.path));
    cg_leaf_proof_put(&w, &proof);
    return cg_writer_end(&w);
}

void lg_get_inclusion(const struct cg_message *in, struct cg_reply *out)
{
    struct lg_ledger *ledger = in->role;
    struct question *q = new_question(ledger, answer_inclusion);
    cg_err err = q ? get_hash(in, "commitment", &q->hash) : CG_OK;

    if (q && err == CG_OK) {
        err = get_number(in, "size", &q->to);
        q->has_to = err == CG_OK;
        if (err == CG_NOT_FOUND)
            err = CG_OK;
    }
    put_if(err, ledger, out, q);
}

static cg_err answer_consistency(struct question *q, struct lg_view *view)
{
    struct cg_nodes nodes = lg_nodes_of(view->store);
    struct cg_writer w = cg_writer_into(&q->body);
    struct cg_path path;

    if (q->to > view->head.size || q->from > q->to)
        return CG_NOT_FOUND;
    CG_TRY(cg_consistency_make(&nodes, q->from, q->to, &path));
    q->is_immutable = true;
    cg_path_put(&w, &path);
    return cg_writer_end(&w);
}

void lg_get_consistency(const struct cg_message *in, struct cg_reply *out)
{
    struct lg_ledger *ledger = in->role;
    struct question *q = new_question(ledger, answer_consistency);
    cg_err err = q ? get_number(in, "from", &q->from) : CG_OK;

    if (q && err == CG_OK)
        err = get_number(in, "to", &q->to);
    put_if(err, ledger, out, q);
}

/* --- the map --- */

static cg_err answer_state(struct question *q, struct lg_view *view)
{
    struct cg_span id = cg_span_of(q->id, q->id_len);
    struct cg_writer w = cg_writer_into(&q->body);
    struct cg_stored_entry entry = {0};
    struct lg_fact fact;

    CG_TRY(lg_view_prove(view, q->kind, id, &fact));
    if (fact.is_present)
        CG_TRY(lg_view_current(view, q->kind, id, &entry));
    cg_cbor_put_map(&w, 4);
    cg_cbor_put_key(&w, "entry");
    cg_cbor_put_bytes(&w, entry.data);
    cg_cbor_put_key(&w, "proof");
    cg_cbor_put_bytes(&w, fact.proof);
    cg_cbor_put_key(&w, "value");
    cg_cbor_put_bytes(&w, fact.is_present ? cg_hash_span(&fact.value) : (struct cg_span){NULL, 0});
    cg_cbor_put_key(&w, "object_digest");
    cg_cbor_put_bytes(&w, entry.object_digest);
    return cg_writer_end(&w);
}

void lg_get_state(const struct cg_message *in, struct cg_reply *out)
{
    struct lg_ledger *ledger = in->role;
    struct question *q = new_question(ledger, answer_state);

    put_if(q ? get_key(in, q) : CG_OK, ledger, out, q);
}

static cg_err answer_staple_key(struct question *q, struct lg_view *view)
{
    return lg_staple_key(view, q->kind, cg_span_of(q->id, q->id_len), &q->body);
}

static cg_err answer_staple_cert(struct question *q, struct lg_view *view)
{
    return lg_staple_cert(view, &q->hash, &q->body);
}

static cg_err answer_staple_name(struct question *q, struct lg_view *view)
{
    return lg_staple_name(view, cg_span_of(q->id, q->id_len), &q->body);
}

static cg_err answer_staple_did(struct question *q, struct lg_view *view)
{
    return lg_staple_did(view, &q->waddr, &q->body);
}

/* Which of the four ways is asked? The first parameter that is there decides. */
static cg_err read_staple_question(const struct cg_message *in, struct question *q)
{
    cg_err err = get_hash(in, "fpr", &q->hash);

    q->answer = answer_staple_cert;
    if (err != CG_NOT_FOUND)
        return err;
    q->answer = answer_staple_name;
    err = get_text(in, "name", q->id, sizeof q->id, &q->id_len);
    if (err != CG_NOT_FOUND)
        return err;
    q->answer = answer_staple_did;
    err = get_text(in, "did", q->id, sizeof q->id, &q->id_len);
    if (err == CG_OK)
        return cg_did_read(cg_span_of(q->id, q->id_len), &q->waddr);
    if (err != CG_NOT_FOUND)
        return err;
    q->answer = answer_staple_key;
    return get_key(in, q);
}

void lg_get_staple(const struct cg_message *in, struct cg_reply *out)
{
    struct lg_ledger *ledger = in->role;
    struct question *q = new_question(ledger, NULL);

    put_if(q ? read_staple_question(in, q) : CG_OK, ledger, out, q);
}

/* --- the answer to a submission --- */

static cg_err answer_logged(struct question *q, struct lg_view *view)
{
    CG_AUTO(buf) struct cg_buf staple = {0};
    struct cg_writer w = cg_writer_into(&q->body);
    struct cg_stored_entry entry;

    cg_buf_init(&staple, CG_STAPLE_MAX_BYTES);
    CG_TRY(lg_view_entry(view, q->from, &entry));
    CG_TRY(lg_staple_entry(view, &entry, &staple));
    cg_cbor_put_map(&w, 3);
    cg_cbor_put_key(&w, "entry");
    cg_cbor_put_bytes(&w, entry.data);
    cg_cbor_put_key(&w, "index");
    cg_cbor_put_uint(&w, entry.index);
    cg_cbor_put_key(&w, "staple");
    cg_cbor_put_bytes(&w, cg_buf_span(&staple));
    return cg_writer_end(&w);
}

void lg_answer_logged(struct cg_pending *pending, uint64_t index)
{
    struct question *q = new_question(ledger_of(pending), answer_logged);

    if (q)
        q->from = index;
    put(pending, q);
}
