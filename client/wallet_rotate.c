/* wallet_rotate.c: httpcg wallet rotate: the next generation's keys become the wallet's.
 *
 *   1. next.hck.rotating    a new next seed, sealed
 *   2. wallet.doc.rotating  the document with the operation, signed by the next keys
 *   3. the operation is logged
 *   4. wallet.hck becomes next.hck's content, next.hck that of 1, wallet.doc that of 2
 *
 * Until 3 nothing is changed; 2 tells that a rotation was begun, and is the last to go. So the same
 * command again goes on from wherever it was interrupted: logging the same again and replacing a
 * file by the same content do no harm. */
#include "client/submit.h"
#include "client/wallet.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/didop.h"
#include "runtime/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define STAGED ".rotating"

struct rotation {
    struct cl_run *run;
    char key[CL_PATH_MAX_BYTES], doc[CL_PATH_MAX_BYTES], next[CL_PATH_MAX_BYTES];
    char staged_doc[CL_PATH_MAX_BYTES + 16], staged_next[CL_PATH_MAX_BYTES + 16];
    struct cg_did_state state; /* once it is done */
    struct cg_buf document;    /* likewise */
    struct cg_buf current;     /* the content that wallet.hck shall have; empty: it has it */
    struct cg_buf following;   /* and next.hck; empty: it has it */
};

static int find_paths(struct rotation *r)
{
    struct cl_run *run = r->run;
    int code = cl_wallet_paths(run, r->key, r->doc);

    if (code == 0 && run->n_words == 0)
        code = cl_wallet_next_path(run, r->key, r->next);
    else if (code == 0 &&
             snprintf(r->next, sizeof r->next, "%s", run->words[0]) >= (int)sizeof r->next)
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "a path");
    snprintf(r->staged_doc, sizeof r->staged_doc, "%s" STAGED, r->doc);
    snprintf(r->staged_next, sizeof r->staged_next, "%s" STAGED, r->next);
    return code;
}

static int read_key_file(struct rotation *r, const char *path, struct cg_buf *out)
{
    cg_err err = cg_file_read_secret(path, CG_KEYFILE_MAX_BYTES, out);

    if (err == CG_NOT_FOUND)
        return cl_fail(r->run->show, CL_EXIT_IDENTITY, CG_OK,
                       "it was to be kept apart: fetch it, or name where it is (httpcg wallet "
                       "rotate FILE)",
                       "there is no %s, the next generation's seed", path);
    if (err == CG_CONFIG)
        return cl_fail(r->run->show, CL_EXIT_KEY, CG_OK, "chmod 600 the file",
                       "others may read or write %s", path);
    return err == CG_OK ? 0 : cl_fail(r->run->show, CL_EXIT_KEY, err, NULL, "cannot read %s", path);
}

/* --- beginning ----------------------------------------------------------------------------------
 */

static cg_err issue(struct rotation *r, const struct cl_key *now, const struct cl_key *following,
                    const struct cg_did_state *before, struct cg_span old_doc)
{
    CG_AUTO(buf) struct cg_buf op = {0};
    const struct cl_app *app = &r->run->app;
    struct cg_hash commitment;
    struct cg_signer *signer;

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&r->document, CG_DOCUMENT_MAX_BYTES);
    cg_key_heap_begin();
    cg_err err = cg_wallet_next(app->crypto, cg_locked_get(following->seed), &commitment);
    cg_key_heap_end();
    CG_TRY(err);
    CG_TRY(cg_key_heap_signer(app->crypto, cg_locked_get(now->seed), &signer));
    err = cg_didop_issue(signer, CG_DIDOP_ROTATE, before, &commitment, &op);
    cg_signer_free(signer);
    CG_TRY(err);
    CG_TRY(cg_did_append(old_doc, cg_buf_span(&op), &r->document));
    return cg_did_check(app->crypto, cg_buf_span(&r->document), &before->waddr, &r->state);
}

static int cannot_issue(struct rotation *r, cg_err err)
{
    struct cl_show *show = r->run->show;

    switch (err) {
    case CG_PROOF:
        return cl_fail(show, CL_EXIT_KEY, CG_OK, "it was made together with the wallet",
                       "%s is not the seed that this wallet commits to", r->next);
    case CG_REVOKED:
        return cl_fail(show, CL_EXIT_IDENTITY, CG_OK, "httpcg wallet new makes another",
                       "the wallet's DID is deactivated");
    case CG_TOO_LARGE:
        return cl_fail(show, CL_EXIT_IDENTITY, CG_OK, "httpcg wallet new makes another",
                       "the wallet was rotated as often as a document can say");
    default:
        return cl_fail(show, CL_EXIT_KEY, err, NULL, "cannot rotate the wallet");
    }
}

/* The new next seed first: a document that commits to a seed which is lost would be the end of the
 * wallet. */
static int stage(struct rotation *r, const struct cl_key *following)
{
    struct cl_run *run = r->run;
    struct cg_buf pass = {0};
    int code = cl_pass_get(run, CL_PASS_NEW, r->next, &pass);

    if (code == 0)
        code = cl_key_seal(run, r->next, following, cg_buf_span(&pass), &r->following);
    cg_buf_wipe(&pass);
    /* One that stands alone belongs to no document, and was never used. */
    if (code == 0)
        (void)unlink(r->staged_next);
    if (code == 0)
        code = cl_write_new(run, r->staged_next, cg_buf_span(&r->following));
    if (code == 0)
        code = cl_write_new(run, r->staged_doc, cg_buf_span(&r->document));
    if (code != 0)
        (void)unlink(r->staged_next);
    return code;
}

static int begin(struct rotation *r)
{
    struct cl_run *run = r->run;
    struct cl_key now = {0}, following = {0};
    struct cg_did_state before;
    struct cg_buf old_doc = {0};
    int code = cl_wallet_doc_read(run, r->doc, &before, &old_doc);

    if (code == 0)
        code = read_key_file(r, r->next, &r->current);
    if (code == 0)
        code = cl_key_open(run, r->next, NULL, &now);
    if (code == 0)
        code = cl_key_new(run, now.role, &following);
    if (code == 0) {
        cg_err err;

        memcpy(following.hint, before.waddr.text, sizeof before.waddr.text);
        err = issue(r, &now, &following, &before, cg_buf_span(&old_doc));
        code = err == CG_OK ? 0 : cannot_issue(r, err);
    }
    if (code == 0)
        code = stage(r, &following);
    cl_key_done(&now);
    cl_key_done(&following);
    cg_buf_done(&old_doc);
    return code;
}

/* --- going on -----------------------------------------------------------------------------------
 */

/* Whether a file holds the keys that are to become the wallet's, or are it already. */
static int check_holds(struct rotation *r, const char *path)
{
    struct cl_key key = {0};
    bool is_its = false;
    int code = cl_key_open(r->run, path, NULL, &key);

    if (code != 0)
        return code;
    cg_err err = cl_wallet_signs(&r->run->app, &key, &r->state, &is_its);
    cl_key_done(&key);
    if (err != CG_OK)
        return cl_fail(r->run->show, CL_EXIT_KEY, err, NULL, "cannot use %s", path);
    return is_its ? 0
                  : cl_fail(r->run->show, CL_EXIT_KEY, CG_OK,
                            "name the next seed's file that the rotation was begun with",
                            "%s does not hold the keys of the rotation that was begun", path);
}

static int go_on(struct rotation *r)
{
    struct cl_run *run = r->run;
    int code = cl_wallet_doc_read(run, r->staged_doc, &r->state, &r->document);

    if (code != 0)
        return code;
    cl_say(run->show, "going on with a rotation that was interrupted");
    /* Both key files are what they shall be, or it was begun with another next.hck. */
    if (access(r->staged_next, F_OK) != 0)
        return check_holds(r, r->key);
    code = read_key_file(r, r->staged_next, &r->following);
    if (code == 0)
        code = read_key_file(r, r->next, &r->current);
    if (code != 0)
        return code;
    if (r->current.len == r->following.len &&
        memcmp(r->current.at, r->following.at, r->current.len) == 0) {
        cg_buf_done(&r->current); /* next.hck was the last to be replaced */
        return check_holds(r, r->key);
    }
    return check_holds(r, r->next);
}

/* --- the end ------------------------------------------------------------------------------------
 */

static int replace(struct rotation *r, const char *path, const struct cg_buf *bytes)
{
    return bytes->len > 0 ? cl_write(r->run, path, cg_buf_span(bytes)) : 0;
}

static int install(struct rotation *r)
{
    int code = replace(r, r->key, &r->current);

    if (code == 0)
        code = replace(r, r->next, &r->following);
    if (code == 0)
        (void)unlink(r->staged_next);
    if (code == 0)
        code = replace(r, r->doc, &r->document);
    if (code == 0)
        (void)unlink(r->staged_doc);
    if (code != 0)
        cl_fail_more(r->run->show, "the rotation is logged, and the former keys count no more: the "
                                   "same command again goes on with it");
    return code;
}

/* A ledger that refuses for good has changed nothing; of any other failure nobody can say so. */
static int give_up(struct rotation *r, int code)
{
    if (code != CL_EXIT_POLICY) {
        cl_fail_more(r->run->show, "the rotation is begun: the same command again goes on with it");
        return code;
    }
    (void)unlink(r->staged_doc);
    (void)unlink(r->staged_next);
    cl_fail_more(r->run->show, "nothing was changed");
    return code;
}

static void tell(struct rotation *r)
{
    struct cl_run *run = r->run;
    char did[CG_DID_CHARS + 1];

    cg_did_write(&r->state.waddr, did);
    cl_say(run->show, "did      %s, as before", did);
    cl_say(run->show, "rotated  %" PRIu64 " time%s by now", r->state.seq,
           r->state.seq == 1 ? "" : "s");
    cl_say(run->show, "key      %s (with the passphrase that the next seed had)", r->key);
    cl_say(run->show, "next     %s", r->next);
    cl_say(run->show,
           "\nKeep %s apart from this machine. What the former keys have signed counts no more: "
           "issue certificates anew (httpcg cert issue), and publish names anew (httpcg publish).",
           r->next);
    cl_add_text(run->show, "did", did);
    cl_add(run->show, "operations", json_integer((json_int_t)r->state.seq));
    cl_add_text(run->show, "key", r->key);
    cl_add_text(run->show, "next", r->next);
}

int cl_run_wallet_rotate(struct cl_run *run)
{
    struct rotation *r = calloc(1, sizeof *r);
    int code = cl_run_trust(run);

    if (!r)
        return CL_EXIT_MEMORY;
    r->run = run;
    if (code == 0)
        code = find_paths(r);
    if (code == 0)
        code = access(r->staged_doc, F_OK) == 0 ? go_on(r) : begin(r);
    if (code == 0) {
        code = cl_submit_wallet(run, cg_buf_span(&r->document));
        code = code == 0 ? install(r) : give_up(r, code);
    }
    if (code == 0)
        tell(r);
    cg_buf_done(&r->document);
    cg_buf_done(&r->current);
    cg_buf_done(&r->following);
    free(r);
    return code;
}
