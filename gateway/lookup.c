/* One look-up: ask a registry, verify what it says, fetch the profile that the record names.
 *
 *   ASK     GET <registry>/resolve/<plane>/<authority>     the next one on any failure
 *   VERIFY  every check of docs/protocol/record.md, and that it is not older than what was seen
 *   STATE   GET <ledger>/staple?kind=policy&id=<owner>/<profile>: which policy has that name now
 *   OBJECT  GET <ledger>/object/<digest>, unless that policy is known by its hash
 *   POLICY  the owner's signature, and the hash the map names
 *
 * Every stage's answer comes as a call; a stage that fails ends the look-up or goes to the next
 * registry. */
#include "gateway/names_inner.h"

#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/cose.h"

#include <stdatomic.h>
#include <stdlib.h>

enum stage {
    ASK = 1,
    VERIFY,
    STATE,
    BINDING, /* a worker verifies what STATE said */
    OBJECT,
    POLICY,
};

struct gw_look {
    struct gw_entry *entry;
    struct cg_ticket ticket;
    size_t registry; /* being asked */
    cg_err failed;   /* why the last one failed */
    struct gw_name *name;
    struct cg_hash policy_hash;
    char digest[2 * CG_HASH_BYTES + 1];
};

/* What a worker does for a look-up; it owns everything it needs. */
struct work {
    struct gw_names *names;
    enum stage stage;
    bool is_denial;
    struct gw_name *name; /* VERIFY: being filled; else a reference, read only */
    struct cg_wall now;
    struct cg_buf bytes;        /* BINDING, POLICY: what came */
    struct cg_hash policy_hash; /* BINDING: out; POLICY: in */
    struct cg_hash object;      /* BINDING: out */
    struct gw_profile *profile; /* POLICY: out */
};

static struct cg_span plane_of(const struct gw_name *name)
{
    struct cg_span key = gw_name_key(name);

    return cg_span_first(key, cg_span_find(key, '/'));
}

static struct cg_span authority_of(const struct gw_name *name)
{
    struct cg_span key = gw_name_key(name);

    return cg_span_from(key, cg_span_find(key, '/') + 1);
}

/* --- on the worker --------------------------------------------------------------------------- */

struct cg_ledger_view gw_names_view(const struct gw_names *names, struct cg_wall now)
{
    const struct cg_trust *trust = names->gw->setup.trust;

    return (struct cg_ledger_view){
        .logs = trust->logs, .n_logs = trust->n_logs, .seen = names->heads, .now = now};
}

cg_err gw_names_head(struct gw_names *names, const struct cg_staple_facts *staple)
{
    const struct cg_trust *trust = names->gw->setup.trust;
    const struct cg_seen_log seen = {staple->head.size, staple->head.root, staple->head.time};

    if (staple->head.size <= names->heads[staple->log].size)
        return CG_OK;
    CG_TRY(cg_store_seen_log(names->store, CG_BYTES(trust->log_ids[staple->log].bytes), &seen));
    names->heads[staple->log] = staple->head;
    return CG_OK;
}

/* The staple is kept: clients get it with the refusal, and believe nothing less. */
static cg_err verify_denial(const struct cg_resolve_ask *ask, struct gw_name *name)
{
    struct cg_resolve_answer answer;
    CG_AUTO(buf) struct cg_buf room = {0};

    CG_TRY(cg_resolve_verify_denial(ask, cg_buf_span(&name->json), &name->room, &name->result));
    cg_buf_init(&room, CG_RESOLVE_MAX_BYTES);
    CG_TRY(cg_resolve_read_denial(cg_buf_span(&name->json), &room, &answer));
    cg_buf_init(&name->denial, answer.staple.len);
    return cg_buf_add(&name->denial, answer.staple);
}

static cg_err verify_record(struct work *work)
{
    struct gw_names *names = work->names;
    struct gw_name *name = work->name;
    const struct cg_resolve_ask ask = {
        .crypto = names->gw->setup.crypto,
        .trust = names->gw->setup.trust,
        .plane = plane_of(name),
        .authority = authority_of(name),
        .now = work->now,
        .heads = names->heads,
        .ports = names->ports,
        .n_ports = names->n_ports,
        .is_local = true, /* the target is judged where it is used: choose.c */
    };
    struct cg_resolve_result *result = &name->result;

    cg_buf_init(&name->room, CG_RESOLVE_MAX_BYTES);
    if (work->is_denial)
        CG_TRY(verify_denial(&ask, name));
    else
        CG_TRY(cg_resolve_verify(&ask, cg_buf_span(&name->json), &name->room, result));
    CG_TRY(gw_names_head(names, &result->staple));
    if (result->is_gone) {
        /* Nothing of it is asked for any more but the proof. */
        cg_buf_done(&name->json);
        cg_buf_done(&name->room);
    } else if (result->has_record) {
        CG_TRY(cg_store_seen_name(names->store, gw_name_key(name), result->record.serial,
                                  &result->record.anchor));
    }
    return CG_OK;
}

/* The ledger's answer to "which policy has that name": its staple must say so itself. */
static cg_err verify_binding(struct work *work)
{
    struct gw_names *names = work->names;
    const struct cg_ledger_view view = gw_names_view(names, work->now);
    const struct cg_record *record = gw_name_record(work->name);
    char id[CG_DID_CHARS + 1 + CG_PROFILE_NAME_MAX_BYTES + 1];
    struct cg_writer w = cg_writer_fixed(id, sizeof id);
    struct cg_staple_facts facts;

    cg_put(&w, record->owner_did);
    cg_put_u8(&w, '/');
    cg_put(&w, record->profile);
    CG_TRY(cg_writer_end(&w));
    struct cg_staple_ask ask = {.kind = "policy", .id = cg_writer_span(&w)};
    CG_TRY(cg_staple_verify(cg_buf_span(&work->bytes), &view, true, &ask, 1, &facts));
    if (!ask.is_present || !facts.has_entry || facts.entry.kind != CG_ENTRY_POLICY ||
        !cg_hash_eq(&facts.entry.commitment, &ask.value) || !facts.entry.has_object)
        return CG_PROOF;
    CG_TRY(gw_names_head(names, &facts));
    work->policy_hash = ask.value;
    work->object = facts.entry.object_digest;
    return CG_OK;
}

static cg_err verify_policy(struct work *work)
{
    const struct gw_name *name = work->name;
    struct gw_profile *profile = NULL;
    struct cg_verifier *owner = NULL;
    struct cg_policy *policy = NULL;
    struct cg_cose cose;

    CG_TRY(cg_cose_read(cg_buf_span(&work->bytes), CG_DOC_POLICY, &cose));
    CG_TRY(cg_verifier_new(work->names->gw->setup.crypto, &name->result.owner.keys, &owner));
    cg_err err = cg_cose_check(&cose, owner);
    cg_verifier_free(owner);
    if (err == CG_OK)
        err = cg_policy_read_cbor(cose.payload, &policy, NULL);
    if (err != CG_OK)
        return err;
    if (!cg_hash_eq(cg_policy_hash(policy), &work->policy_hash) ||
        cg_policy_kind(policy) != CG_POLICY_RBAC ||
        !cg_waddr_eq(cg_policy_owner(policy), &name->result.record.owner) ||
        !cg_span_eq(cg_policy_name(policy), name->result.record.profile))
        err = CG_MISMATCH;
    else
        profile = calloc(1, sizeof *profile);
    if (!profile) {
        cg_policy_free(policy);
        return err == CG_OK ? CG_NO_MEMORY : err;
    }
    profile->refs = 1;
    profile->policy = policy;
    profile->owner = name->result.record.owner;
    work->profile = profile;
    return CG_OK;
}

static cg_err run_work(void *arg)
{
    struct work *work = arg;

    switch (work->stage) {
    case VERIFY:
        return verify_record(work);
    case BINDING:
        return verify_binding(work);
    default:
        return verify_policy(work);
    }
}

static void free_work(void *arg)
{
    struct work *work = arg;

    gw_name_unref(work->name);
    gw_profile_unref(work->profile);
    cg_buf_done(&work->bytes);
    free(work);
}

static const struct cg_job_kind work_kind = {"name", run_work, free_work};

/* --- on the service loop --------------------------------------------------------------------- */

static struct cg_mono deadline_of(struct gw_look *look, int64_t ms)
{
    return cg_mono_after(cg_loop_mono(look->entry->names->loop), ms);
}

static void end(struct gw_look *look, cg_err err)
{
    struct gw_entry *entry = look->entry;
    struct gw_name *name = NULL;

    if (err == CG_OK) {
        name = look->name;
        look->name = NULL;
    } else {
        cg_log(entry->names->gw->setup.log, WARN, resolve_failed,
               CG_TEXT("name", cg_span_of(entry->key, entry->key_len)), CG_ERR(err));
    }
    entry->look = NULL;
    gw_look_free(look);
    gw_entry_settle(entry, name, err);
}

static cg_err ask_registry(struct gw_look *look)
{
    struct gw_names *names = look->entry->names;
    char path[GW_KEY_MAX_BYTES + 16];
    struct cg_writer w = cg_writer_fixed(path, sizeof path);

    /* Canonical keys have nothing that a path segment could not. */
    cg_put_str(&w, "/resolve/");
    cg_put(&w, cg_span_of(look->entry->key, look->entry->key_len));
    CG_TRY(cg_writer_end(&w));
    return cg_endpoint_begin(names->registries[look->registry], CG_LIT("GET"), cg_writer_span(&w),
                             NULL, 0, (struct cg_span){NULL, 0}, look->ticket, ASK,
                             deadline_of(look, 5000));
}

/* The registry failed: the next one, or none. */
static void next_registry(struct gw_look *look, cg_err err)
{
    struct gw_names *names = look->entry->names;

    cg_log(names->gw->setup.log, WARN, registry_failed,
           CG_TEXT("name", cg_span_of(look->entry->key, look->entry->key_len)),
           CG_UINT("registry", look->registry), CG_ERR(err));
    gw_name_unref(look->name);
    look->name = NULL;
    look->failed = err;
    while (++look->registry < names->n_registries)
        if (ask_registry(look) == CG_OK)
            return;
    end(look, look->failed);
}

static struct work *new_work(struct gw_look *look, enum stage stage)
{
    struct work *work = calloc(1, sizeof *work);

    if (!work)
        return NULL;
    work->names = look->entry->names;
    work->stage = stage;
    work->name = gw_name_ref(look->name);
    work->now = cg_loop_wall(work->names->loop);
    work->policy_hash = look->policy_hash;
    return work;
}

static cg_err give(struct gw_look *look, struct work *work)
{
    struct gw_names *names = look->entry->names;

    return cg_job_begin(names->worker, &work_kind, work, names->loop, look->ticket, work->stage,
                        deadline_of(look, 10000));
}

static cg_err answered(struct gw_look *look, const struct cg_answer *answer)
{
    struct gw_name *name;

    if (!answer)
        return CG_UNREACHABLE;
    if (answer->head->status != 200 && answer->head->status != 404)
        return CG_UNREACHABLE;
    if (answer->body.len > CG_RESOLVE_MAX_BYTES)
        return CG_TOO_LARGE;
    name = calloc(1, sizeof *name);
    if (!name)
        return CG_NO_MEMORY;
    name->refs = 1;
    memcpy(name->key, look->entry->key, look->entry->key_len);
    name->key_len = look->entry->key_len;
    look->name = name;
    cg_buf_init(&name->json, CG_RESOLVE_MAX_BYTES);
    CG_TRY(cg_buf_add(&name->json, answer->body));
    struct work *work = new_work(look, VERIFY);
    if (!work)
        return CG_NO_MEMORY;
    work->is_denial = answer->head->status == 404;
    return give(look, work);
}

/* How long it may be used: its record's and time to live, or the short life of a denial. */
static void set_times(struct gw_name *name, struct cg_wall now)
{
    const struct cg_record *record = &name->result.record;
    int64_t ttl = name->result.is_gone ? GW_NAME_DENIED_S : record->ttl_s;
    int64_t last = name->result.is_gone ? now.s + ttl : record->expires.s;

    name->fresh_until.s = now.s + ttl < last ? now.s + ttl : last;
    name->due.s = now.s + (name->fresh_until.s - now.s) * 4 / 5;
    atomic_store(&name->renew_at, name->due.s);
    name->stale_until.s =
        name->fresh_until.s + GW_NAME_STALE_S < last ? name->fresh_until.s + GW_NAME_STALE_S : last;
}

static cg_err ask_state(struct gw_look *look)
{
    const struct cg_record *record = gw_name_record(look->name);
    char path[256];
    struct cg_writer w = cg_writer_fixed(path, sizeof path);

    cg_put_str(&w, "/staple?kind=policy&id=");
    cg_put(&w, record->owner_did);
    cg_put_u8(&w, '/');
    cg_put(&w, record->profile);
    CG_TRY(cg_writer_end(&w));
    return cg_endpoint_begin(look->entry->names->ledger, CG_LIT("GET"), cg_writer_span(&w), NULL, 0,
                             (struct cg_span){NULL, 0}, look->ticket, STATE,
                             deadline_of(look, 5000));
}

static cg_err verified(struct gw_look *look, struct cg_call *call)
{
    if (call->err != CG_OK)
        return call->err;
    set_times(look->name, cg_loop_wall(look->entry->names->loop));
    if (look->name->result.is_gone) {
        end(look, CG_OK);
        return CG_OK;
    }
    return ask_state(look);
}

static cg_err stated(struct gw_look *look, const struct cg_answer *answer, enum stage next)
{
    struct work *work;

    if (!answer)
        return CG_UNREACHABLE;
    if (answer->head->status != 200)
        return answer->head->status == 404 ? CG_NOT_FOUND : CG_UNREACHABLE;
    work = new_work(look, next);
    if (!work)
        return CG_NO_MEMORY;
    cg_buf_init(&work->bytes, CG_POLICY_MAX_BYTES + CG_RESOLVE_MAX_BYTES);
    cg_err err = cg_buf_add(&work->bytes, answer->body);
    if (err != CG_OK) {
        free_work(work);
        return err;
    }
    return give(look, work);
}

static struct gw_profile **profile_place(struct gw_names *names, const struct cg_hash *hash)
{
    return &names->profiles[hash->bytes[0] % GW_PROFILES];
}

static cg_err bound(struct gw_look *look, struct cg_call *call)
{
    struct work *work = cg_job_work(call);
    struct gw_names *names = look->entry->names;
    char path[16 + 2 * CG_HASH_BYTES] = "/object/";

    if (call->err != CG_OK || !work)
        return call->err != CG_OK ? call->err : CG_CANCELLED;
    look->policy_hash = work->policy_hash;
    struct gw_profile *known = *profile_place(names, &work->policy_hash);
    if (known && cg_hash_eq(cg_policy_hash(known->policy), &work->policy_hash)) {
        look->name->profile = gw_profile_ref(known);
        end(look, CG_OK);
        return CG_OK;
    }
    cg_hex_write(cg_hash_span(&work->object), path + 8);
    return cg_endpoint_begin(names->ledger, CG_LIT("GET"), cg_span_of(path, 8 + 2 * CG_HASH_BYTES),
                             NULL, 0, (struct cg_span){NULL, 0}, look->ticket, OBJECT,
                             deadline_of(look, 5000));
}

static cg_err profiled(struct gw_look *look, struct cg_call *call)
{
    struct work *work = cg_job_work(call);

    if (call->err != CG_OK || !work)
        return call->err != CG_OK ? call->err : CG_CANCELLED;
    struct gw_profile **place = profile_place(look->entry->names, &look->policy_hash);
    gw_profile_unref(*place);
    *place = gw_profile_ref(work->profile);
    look->name->profile = work->profile;
    work->profile = NULL;
    end(look, CG_OK);
    return CG_OK;
}

/* A name whose profile cannot be had is not served; its registry did nothing wrong. */
static void on_call(void *owner, struct cg_call *call)
{
    struct gw_look *look = owner;
    cg_err err = CG_OK;

    switch ((enum stage)call->tag) {
    case ASK:
        err = answered(look, cg_answer_of(call));
        if (err != CG_OK)
            next_registry(look, call->err != CG_OK ? call->err : err);
        return;
    case VERIFY:
        err = verified(look, call);
        if (err != CG_OK)
            next_registry(look, err);
        return;
    case STATE:
        err = stated(look, cg_answer_of(call), BINDING);
        break;
    case BINDING:
        err = bound(look, call);
        break;
    case OBJECT:
        err = stated(look, cg_answer_of(call), POLICY);
        break;
    case POLICY:
        err = profiled(look, call);
        break;
    }
    if (err != CG_OK)
        end(look, err);
}

cg_err gw_look_begin(struct gw_entry *entry)
{
    struct gw_look *look = calloc(1, sizeof *look);

    if (!look)
        return CG_NO_MEMORY;
    look->entry = entry;
    cg_err err = cg_slot_open(entry->names->loop, on_call, look, &look->ticket);
    if (err != CG_OK) {
        free(look);
        return err;
    }
    for (; look->registry < entry->names->n_registries; look->registry++) {
        err = ask_registry(look);
        if (err == CG_OK) {
            entry->look = look;
            return CG_OK;
        }
    }
    gw_look_free(look);
    return err == CG_OK ? CG_UNREACHABLE : err;
}

void gw_look_free(struct gw_look *look)
{
    if (!look)
        return;
    cg_slot_end(look->entry->names->loop, look->ticket);
    gw_name_unref(look->name);
    free(look);
}
