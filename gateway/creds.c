#include "gateway/creds.h"

#include "gateway/names_inner.h"
#include "gateway/request.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/word.h"

#include <stdlib.h>

/* How long requests wait for a worker. */
#define VERIFY_MS 5000

/* A profile is its owner's, with the keys that the owner has now, and has a name. */
struct subject {
    struct cg_hash grant;
    struct cg_waddr owner;
    struct cg_hash owner_state;
    char aud[CG_WORD_MAX_BYTES + 1];
};

struct given {
    char role[CG_WORD_MAX_BYTES + 1];
    struct cg_wall until;
};

struct gw_kept_creds {
    enum { FREE, PENDING, KNOWN } state;
    struct subject subject;
    size_t n;
    struct given given[CG_CREDS_MAX];
};

struct work {
    const struct cg_crypto *crypto;
    struct cg_did_state owner;
    struct cg_buf wires[CG_CREDS_MAX];
    size_t n;
    struct given given[CG_CREDS_MAX]; /* out */
    size_t n_given;                   /* out */
};

/* --- on the worker --------------------------------------------------------------------------- */

static void copy_word(char out[static CG_WORD_MAX_BYTES + 1], struct cg_span word)
{
    memcpy(out, word.at, word.len);
    out[word.len] = '\0';
}

/* One that does not verify gives nothing; that is all that is wrong with it. */
static cg_err run_work(void *arg)
{
    struct work *work = arg;

    for (size_t i = 0; i < work->n; i++) {
        struct cg_cred cred;
        cg_err err =
            cg_cred_verify(work->crypto, cg_buf_span(&work->wires[i]), &work->owner, &cred);

        if (err == CG_NO_MEMORY || err == CG_CRYPTO)
            return err;
        if (err != CG_OK)
            continue;
        copy_word(work->given[work->n_given].role, cred.role);
        work->given[work->n_given++].until = cred.until;
    }
    return CG_OK;
}

static void free_work(void *arg)
{
    struct work *work = arg;

    for (size_t i = 0; i < work->n; i++)
        cg_buf_done(&work->wires[i]);
    free(work);
}

static const struct cg_job_kind work_kind = {"credentials", run_work, free_work};

/* --- on the connection's thread -------------------------------------------------------------- */

/* All that waited for this place go on. Running one may end it, and no other of the connection's.
 */
static void wake(struct gw_conn *conn, size_t place, cg_err err)
{
    struct cg_conn *c = conn->conn;
    struct gw_request *req = conn->requests;

    while (req) {
        struct gw_request *next = req->next;

        if (req->waits_for_creds && req->creds_place == place) {
            req->waits_for_creds = false;
            if (err != CG_OK)
                gw_refuse(req, CG_REFUSAL_UNAVAILABLE, err, "credentials");
            gw_request_run(req);
        }
        req = next;
    }
    cg_conn_wake(c);
}

/* The tag is the place in what is kept. */
static void on_call(void *owner, struct cg_call *call)
{
    struct gw_conn *conn = owner;
    struct gw_kept_creds *kept = &conn->creds.kept[call->tag];
    const struct work *work = cg_job_work(call);
    cg_err err = call->err != CG_OK ? call->err : work ? CG_OK : CG_CANCELLED;

    kept->state = err == CG_OK ? KNOWN : FREE;
    if (err == CG_OK) {
        kept->n = work->n_given;
        memcpy(kept->given, work->given, sizeof kept->given);
    }
    wake(conn, call->tag, err);
}

static void subject_of(const struct gw_request *req, struct subject *out)
{
    const struct cg_did_state *owner = &req->name->result.owner;

    memset(out, 0, sizeof *out);
    out->grant = req->sapi.grant_hash;
    out->owner = owner->waddr;
    out->owner_state = owner->newest;
    copy_word(out->aud, cg_policy_name(gw_name_policy(req->name)));
}

static struct gw_kept_creds *find(struct gw_creds *creds, const struct subject *subject)
{
    for (size_t i = 0; creds->kept && i < GW_CREDS_KEPT; i++)
        if (creds->kept[i].state != FREE &&
            memcmp(&creds->kept[i].subject, subject, sizeof *subject) == 0)
            return &creds->kept[i];
    return NULL;
}

/* A place for one more: free, or the oldest that nobody waits for. */
static cg_err find_room(struct gw_conn *conn, size_t *out)
{
    struct gw_creds *creds = &conn->creds;

    if (!creds->kept) {
        CG_TRY(cg_slot_open(conn->thread->loop, on_call, conn, &creds->ticket));
        creds->kept = calloc(GW_CREDS_KEPT, sizeof *creds->kept);
        if (!creds->kept) {
            cg_slot_end(conn->thread->loop, creds->ticket);
            return CG_NO_MEMORY;
        }
    }
    for (size_t i = 0; i < GW_CREDS_KEPT; i++) {
        size_t place = (creds->next + i) % GW_CREDS_KEPT;

        if (creds->kept[place].state == PENDING)
            continue;
        creds->next = (place + 1) % GW_CREDS_KEPT;
        *out = place;
        return CG_OK;
    }
    return CG_BUSY;
}

/* Those that are worth verifying: for this profile and wallet, and not over. */
static cg_err select_wires(const struct gw_request *req, const struct cg_span *wires, size_t n,
                           struct work *work)
{
    const struct cg_policy *policy = gw_name_policy(req->name);
    struct cg_cred cred;

    for (size_t i = 0; i < n; i++) {
        if (cg_cred_open(wires[i], &cred) != CG_OK ||
            !cg_cred_counts(&cred, cg_policy_owner(policy), cg_policy_name(policy),
                            &req->sapi.wallet, req->wall))
            continue;
        struct cg_buf *wire = &work->wires[work->n++];
        cg_buf_init(wire, wires[i].len);
        CG_TRY(cg_buf_add(wire, wires[i]));
    }
    return CG_OK;
}

static cg_err begin(struct gw_request *req, const struct subject *subject,
                    const struct cg_span *wires, size_t n)
{
    struct gw_conn *conn = req->conn;
    struct gw_thread *thread = conn->thread;
    struct work *work = calloc(1, sizeof *work);
    size_t place = 0;

    if (!work)
        return CG_NO_MEMORY;
    work->crypto = thread->gw->setup.crypto;
    work->owner = req->name->result.owner;
    cg_err err = select_wires(req, wires, n, work);
    if (err == CG_OK)
        err = find_room(conn, &place);
    if (err != CG_OK) {
        free_work(work);
        return err;
    }
    struct gw_kept_creds *kept = &conn->creds.kept[place];
    *kept = (struct gw_kept_creds){.state = KNOWN, .subject = *subject};
    if (work->n == 0) {
        free_work(work);
        return CG_OK;
    }
    err =
        cg_job_begin(thread->gw->setup.workers, &work_kind, work, thread->loop, conn->creds.ticket,
                     (unsigned)place, cg_mono_after(cg_loop_mono(thread->loop), VERIFY_MS));
    kept->state = err == CG_OK ? PENDING : FREE;
    return err;
}

enum gw_next gw_creds_get(struct gw_request *req, struct cg_cred out[CG_CREDS_MAX], size_t *n)
{
    struct gw_conn *conn = req->conn;
    struct cg_span wires[CG_GRANT_CREDS_MAX];
    struct gw_kept_creds *kept;
    struct subject subject;
    size_t n_wires = req->is_signed ? cg_gate_creds(&conn->gate, &req->sapi.grant_hash, wires) : 0;

    *n = 0;
    if (n_wires == 0)
        return GW_ON;
    subject_of(req, &subject);
    kept = find(&conn->creds, &subject);
    if (!kept) {
        cg_err err = begin(req, &subject, wires, n_wires);

        if (err != CG_OK)
            return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, err, "credentials");
        kept = find(&conn->creds, &subject);
    }
    if (kept->state == PENDING) {
        req->waits_for_creds = true;
        req->creds_place = (size_t)(kept - conn->creds.kept);
        return GW_WAIT;
    }
    for (; *n < kept->n; ++*n)
        out[*n] = (struct cg_cred){
            .owner = kept->subject.owner,
            .aud = cg_span_str(kept->subject.aud),
            .role = cg_span_str(kept->given[*n].role),
            .wallet = req->sapi.wallet,
            .until = kept->given[*n].until,
        };
    return GW_ON;
}

void gw_creds_done(struct gw_conn *conn)
{
    if (!conn->creds.kept)
        return;
    cg_slot_end(conn->thread->loop, conn->creds.ticket);
    free(conn->creds.kept);
    conn->creds.kept = NULL;
}
