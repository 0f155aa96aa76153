/* ledger.c: httpcg ledger verify: a log's head, that it only ever grew, and what it says of a name,
 * a DID or a certificate. */
#include "client/heads.h"
#include "client/submit.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/cose.h"
#include "lib/merkle/staple.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- asking ----------------------------------------------------------------------------------- */

static int get(struct cl_run *run, const char *path, struct cg_buf *out)
{
    char room[512];
    const char *url = cl_ledger_url(run, room);
    struct cl_answer answer;

    if (!url)
        return CL_EXIT_TRUST;
    cg_err err = cl_ask(&run->app, cg_span_str(url), "GET", cg_span_str(path), NULL,
                        (struct cg_span){NULL, 0}, &answer);
    if (err != CG_OK)
        return cl_fail(run->show, cl_exit_of(err), err, "is the ledger running? --ledger names it",
                       "cannot ask the ledger at %s", url);
    *out = answer.body;
    if (answer.status == 200)
        return 0;
    err = cl_answer_refused(&run->app, "the ledger answers", &answer);
    cg_buf_done(out);
    if (err == CG_RATE || err == CG_BUSY)
        return cl_fail_later(run->show, err, url);
    return cl_fail(run->show, answer.status == 404 ? CL_EXIT_UNRESOLVED : CL_EXIT_POLICY, CG_OK,
                   NULL, "the ledger has no %.60s (status %d)", path + 1, answer.status);
}

/* --- the head --------------------------------------------------------------------------------- */

struct head {
    size_t log;
    struct cg_checkpoint checkpoint;
    struct cg_checkpoint_facts facts;
    struct cg_buf note; /* what checkpoint points into */
};

static cg_err verify_head(struct cl_app *app, struct head *head)
{
    CG_TRY(cl_show_check(app->show, "the checkpoint is well-formed",
                         cg_checkpoint_read(cg_buf_span(&head->note), &head->checkpoint), NULL));
    for (head->log = 0; head->log < app->trust->n_logs; head->log++)
        if (cg_span_is(head->checkpoint.origin, app->trust->logs[head->log].ed25519.name))
            break;
    bool is_known = head->log < app->trust->n_logs;
    CG_TRY(cl_show_check(app->show, "it is of a log that the trust file names",
                         is_known ? CG_OK : CG_UNKNOWN, NULL));
    CG_TRY(cl_show_check(app->show, "both of the log's keys signed it, and the witnesses asked for",
                         cg_checkpoint_verify(&head->checkpoint, &app->trust->logs[head->log],
                                              cg_loop_wall(app->loop), &head->facts),
                         NULL));
    if (head->facts.is_unwitnessed)
        cl_app_say_unwitnessed(app);
    return CG_OK;
}

static int get_head(struct cl_run *run, struct head *head)
{
    char root[2 * CG_HASH_BYTES + 1] = {0};
    int code = get(run, "/checkpoint", &head->note);

    if (code != 0)
        return code;
    cg_err err = verify_head(&run->app, head);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_LOG, err, NULL,
                       "the ledger's checkpoint does not verify");
    const struct cg_checkpoint *checkpoint = &head->checkpoint;
    cg_hex_write(cg_hash_span(&checkpoint->root), root);
    cl_say(run->show, "log        %.*s", (int)checkpoint->origin.len,
           (const char *)checkpoint->origin.at);
    cl_say(run->show, "size       %" PRIu64, checkpoint->size);
    cl_say(run->show, "root       %s", root);
    cl_say(run->show, "witnesses  %u", head->facts.n_cosignatures);
    cl_add(run->show, "origin",
           json_stringn((const char *)checkpoint->origin.at, checkpoint->origin.len));
    cl_add(run->show, "size", json_integer((json_int_t)checkpoint->size));
    cl_add_text(run->show, "root", root);
    cl_add(run->show, "witnesses", json_integer(head->facts.n_cosignatures));
    return 0;
}

/* --- that it only ever grew ------------------------------------------------------------------- */

static cg_err read_path(struct cg_span wire, struct cg_path *out)
{
    struct cg_cbor r = cg_cbor_of(wire);

    cg_path_take(&r, out);
    return cg_cbor_end(&r);
}

/* One head seen before against the one of now. */
static int check_grown(struct cl_run *run, const struct head *head, const struct cg_tlog_seen *seen)
{
    const struct cg_checkpoint *now = &head->checkpoint;
    struct cg_path proof = {0};
    struct cg_buf wire = {0};
    char path[96], what[72];
    cg_err err = CG_OK;

    snprintf(what, sizeof what, "it continues the log of %" PRIu64 " entries seen before",
             seen->size);
    if (seen->size > now->size) {
        cl_show_check(run->show, what, CG_ROLLBACK, NULL);
        return cl_fail(run->show, CL_EXIT_ROLLBACK, CG_ROLLBACK,
                       "keep the home folder as evidence, and tell whoever runs the ledger",
                       "the ledger shows %" PRIu64 " entries, and has shown %" PRIu64, now->size,
                       seen->size);
    }
    if (seen->size < now->size && seen->size > 0) {
        snprintf(path, sizeof path, "/proof/consistency?from=%" PRIu64 "&to=%" PRIu64, seen->size,
                 now->size);
        int code = get(run, path, &wire);

        if (code != 0)
            return code;
        err = read_path(cg_buf_span(&wire), &proof);
    }
    if (err == CG_OK)
        err = cg_consistency_check(seen->size, &seen->root, now->size, &now->root, &proof);
    cg_buf_done(&wire);
    if (cl_show_check(run->show, what, err, NULL) == CG_OK)
        return 0;
    return cl_fail(run->show, CL_EXIT_LOG, err,
                   "it showed two histories, or a broken proof: keep the home folder as evidence, "
                   "and tell whoever runs the ledger",
                   "the log of %" PRIu64 " entries does not continue what was seen", now->size);
}

/* What was seen of each log. It is read before the ledger is asked: another client may be shown a
 * newer head in the meantime. */
struct history {
    struct cg_tlog_seen *heads[CG_TRUST_LOGS_MAX];
    size_t n[CG_TRUST_LOGS_MAX];
};

static void history_done(struct history *history)
{
    for (size_t i = 0; i < CG_TRUST_LOGS_MAX; i++)
        free(history->heads[i]);
}

static int read_history(struct cl_run *run, struct history *out)
{
    for (size_t i = 0; i < run->app.trust->n_logs; i++) {
        cg_err err = cl_heads_read(&run->app, i, &out->heads[i], &out->n[i]);

        if (err != CG_OK)
            return cl_fail(run->show, CL_EXIT_READ, err, NULL, "%s/seen.heads", run->app.folder);
    }
    return 0;
}

static int check_history(struct cl_run *run, const struct head *head, const struct history *history)
{
    const struct cg_tlog_seen *newest = &run->app.heads[head->log];
    size_t n = history->n[head->log];
    int code = 0;

    for (size_t i = 0; code == 0 && i < n; i++)
        code = check_grown(run, head, &history->heads[head->log][i]);
    if (code == 0 && n == 0 && newest->size > 0)
        code = check_grown(run, head, newest);
    if (code == 0) {
        cl_say(run->show, "consistent with %zu heads seen before", n);
        cl_add(run->show, "heads_seen", json_integer((json_int_t)n));
    }
    return code;
}

/* --- what it says of something ---------------------------------------------------------------- */

static struct cg_ledger_view view_of(const struct cl_app *app)
{
    return (struct cg_ledger_view){
        .logs = app->trust->logs,
        .n_logs = app->trust->n_logs,
        .seen = app->heads,
        .now = cg_loop_wall(app->loop),
    };
}

static int staple_failed(struct cl_run *run, cg_err err, const struct cg_staple_facts *facts)
{
    cl_show_check(run->show, cg_staple_step_text(facts->failed), err, NULL);
    return cl_fail(run->show, err == CG_ROLLBACK ? CL_EXIT_ROLLBACK : CL_EXIT_LOG, err,
                   err == CG_STALE ? "is this machine's clock right? does the ledger still publish?"
                                   : NULL,
                   "the ledger's proof does not verify");
}

/* A DID's staple also tells how old the newest head is. */
static int check_did(struct cl_run *run, const struct cg_waddr *waddr, bool is_asked,
                     struct cg_tlog_seen *out_head)
{
    struct cg_staple_ask ask = {.kind = "did", .id = cg_span_str(waddr->text)};
    const struct cg_ledger_view view = view_of(&run->app);
    struct cg_staple_facts facts = {0};
    struct cg_buf staple = {0};
    char path[32 + CG_DID_CHARS];

    snprintf(path, sizeof path, "/staple?did=did:bpi:%s", waddr->text);
    int code = get(run, path, &staple);
    if (code != 0)
        return code;
    cg_err err = cg_staple_verify(cg_buf_span(&staple), &view, false, &ask, 1, &facts);
    cg_buf_done(&staple);
    if (err != CG_OK)
        return staple_failed(run, err, &facts);
    cl_show_check(run->show, "the newest head is fresh, and the map's proof leads to it", CG_OK,
                  NULL);
    *out_head = facts.head;
    if (!is_asked)
        return 0;
    cl_say(run->show, "did        %s",
           ask.is_present ? "logged: its newest document is the one the map names"
                          : "not logged: it has no operation, its inception stands");
    cl_add(run->show, "did_logged", json_boolean(ask.is_present));
    return 0;
}

static cg_err check_object(struct cl_run *run, const struct cg_staple_facts *facts,
                           const struct cg_hash *fingerprint, struct cg_span object)
{
    struct cg_cert cert;

    CG_TRY(cl_show_check(run->show, "the certificate is well-formed", cg_cert_read(object, &cert),
                         NULL));
    CG_TRY(cl_show_check(run->show, "it has this fingerprint",
                         cg_hash_eq(&cert.fingerprint, fingerprint) ? CG_OK : CG_MISMATCH, NULL));
    return cl_show_check(run->show, "it is what the log's entry commits to",
                         cg_hash_eq(&cert.anchor, &facts->entry.commitment) ? CG_OK : CG_MISMATCH,
                         NULL);
}

/* Whose certificate the staple's entry is of, by the entry's own word: which key of the map has to
 * be asked for. */
static cg_err subject_of(struct cg_span staple, struct cg_waddr *out)
{
    struct cg_staple read;
    struct cg_entry entry;

    CG_TRY(cg_staple_read(staple, &read));
    if (!read.has_incl)
        return CG_SCHEMA;
    CG_TRY(cg_entry_read(read.incl.entry, &entry));
    return entry.kind == CG_ENTRY_TLSLS ? cg_did_read(entry.subject, out) : CG_MISMATCH;
}

static cg_err check_staple(struct cl_run *run, struct cg_span staple, const char *fingerprint,
                           struct cg_staple_facts *facts)
{
    const struct cg_ledger_view view = view_of(&run->app);
    struct cg_waddr subject;

    CG_TRY(subject_of(staple, &subject));
    struct cg_staple_ask asks[] = {
        {.kind = "tlsls-rev", .id = cg_span_str(fingerprint)},
        {.kind = "did", .id = cg_span_str(subject.text)},
    };
    CG_TRY(cg_staple_verify(staple, &view, true, asks, 2, facts));
    return cl_show_check(run->show, "it is not revoked", asks[0].is_present ? CG_REVOKED : CG_OK,
                         NULL);
}

/* The entry's object has to be the certificate of that fingerprint, or the staple is of another. */
static int check_certificate(struct cl_run *run, const char *text, struct cg_tlog_seen *out_head)
{
    char path[32 + 2 * CG_HASH_BYTES], digest[2 * CG_HASH_BYTES + 1] = {0};
    struct cg_buf staple = {0}, object = {0};
    struct cg_staple_facts facts = {0};
    struct cg_hash fingerprint;

    if (cg_hex_read(cg_span_str(text), fingerprint.bytes, CG_HASH_BYTES) != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "--fingerprint %.70s: it is 64 hexadecimal digits", text);
    snprintf(path, sizeof path, "/staple?fpr=%s", text);
    int code = get(run, path, &staple);
    if (code != 0)
        return code;
    cg_err err = check_staple(run, cg_buf_span(&staple), text, &facts);
    if (err == CG_OK) {
        cg_hex_write(cg_hash_span(&facts.entry.object_digest), digest);
        snprintf(path, sizeof path, "/object/%s", digest);
        code = get(run, path, &object);
    }
    if (err == CG_OK && code == 0)
        err = check_object(run, &facts, &fingerprint, cg_buf_span(&object));
    if (err == CG_REVOKED)
        code = cl_fail(run->show, CL_EXIT_CERTIFICATE, CG_OK, NULL, "the certificate is revoked");
    else if (err != CG_OK)
        code = staple_failed(run, err, &facts);
    if (code == 0) {
        cl_say(run->show, "certificate logged as entry %" PRIu64 ", not revoked",
               facts.entry_index);
        cl_add(run->show, "certificate_index", json_integer((json_int_t)facts.entry_index));
        *out_head = facts.head;
    }
    cg_buf_done(&object);
    cg_buf_done(&staple);
    return code;
}

static int check_name(struct cl_run *run, const char *name)
{
    struct cl_resolved resolved = {0};
    struct cg_span whole = cg_span_str(name);
    size_t slash = cg_span_find(whole, '/');

    if (cg_url_check_name(whole) != CG_OK)
        return cl_fail(run->show, CL_EXIT_URL, CG_OK,
                       "a name is plane/authority in lower case, such as app/shop.example",
                       "--name %.80s", name);
    cg_err err = cl_resolve(&run->app, cg_span_first(whole, slash), cg_span_from(whole, slash + 1),
                            &resolved);
    int code = 0;
    if (err == CG_OK)
        cl_say(run->show, "name       %s: serial %" PRIu64 ", entry %" PRIu64, name,
               resolved.result.record.serial, resolved.result.staple.entry_index);
    else if (err == CG_NOT_FOUND)
        cl_say(run->show, "name       %s: proved to be absent", name);
    else
        code = cl_fail(run->show, CL_EXIT_RECORD, err, NULL, "%s", name);
    cl_add(run->show, "name_exists", json_boolean(err == CG_OK));
    cl_resolved_done(&resolved);
    return code;
}

/* What is asked for; where nothing is, the registry's own DID, for the age of the head. */
static int check_asked(struct cl_run *run, struct cg_tlog_seen *out_head)
{
    const char *name = cl_text(run->args, CL_NAME), *did = cl_text(run->args, CL_DID);
    const char *fingerprint = cl_text(run->args, CL_FINGERPRINT);
    const struct cg_trust *trust = run->app.trust;
    struct cg_waddr waddr;
    int code = 0;

    if (did && cg_did_read(cg_span_str(did), &waddr) != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--did %.80s: no DID", did);
    if (!did && trust->n_registries > 0)
        waddr = trust->registries[0].did;
    if (did || trust->n_registries > 0)
        code = check_did(run, &waddr, did != NULL, out_head);
    if (code == 0 && fingerprint)
        code = check_certificate(run, fingerprint, out_head);
    return code == 0 && name ? check_name(run, name) : code;
}

/* --- the command ------------------------------------------------------------------------------ */

int cl_run_ledger_verify(struct cl_run *run)
{
    struct head head = {0};
    struct cg_tlog_seen newest = {0};
    struct history history = {0};
    int code = cl_run_trust(run);

    run->show->step = "ledger";
    if (code == 0)
        code = read_history(run, &history);
    if (code == 0)
        code = get_head(run, &head);
    if (code == 0)
        code = check_history(run, &head, &history);
    history_done(&history);
    if (code == 0)
        code = check_asked(run, &newest);
    if (code == 0) {
        /* The head has no time of its own; the newest one seen since has. */
        struct cg_tlog_seen seen = {head.checkpoint.size, head.checkpoint.root, newest.time};
        cg_err err = cl_heads_keep(&run->app, head.log, &seen);

        if (err == CG_OK && newest.size > 0)
            err = cl_app_remember(&run->app, head.log, &newest);
        if (err != CG_OK)
            code = cl_fail(run->show, err == CG_CONFLICT ? CL_EXIT_LOG : CL_EXIT_WRITE, err, NULL,
                           "what was seen cannot be kept");
        else
            cl_say(run->show, "good: signed, fresh, and it only ever grew");
    }
    cg_buf_done(&head.note);
    return code;
}
