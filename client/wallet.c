#include "client/wallet.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/file.h"

#define DOC_MAX_BYTES (96 * 1024)

/* "x.hck" makes "x<ending>". */
static int beside(struct cl_run *run, const char *key, const char *ending,
                  char out[CL_PATH_MAX_BYTES])
{
    size_t len = strlen(key);

    if (cg_span_ends(cg_span_str(key), CG_LIT(".hck")))
        len -= 4;
    int n = snprintf(out, CL_PATH_MAX_BYTES, "%.*s%s", (int)len, key, ending);
    if (n < 0 || n >= CL_PATH_MAX_BYTES)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "a path");
    return 0;
}

int cl_wallet_paths(struct cl_run *run, char key[static CL_PATH_MAX_BYTES],
                    char doc[static CL_PATH_MAX_BYTES])
{
    const char *chosen = cl_text(run->args, CL_WALLET);
    int n = chosen ? snprintf(key, CL_PATH_MAX_BYTES, "%s", chosen)
                   : snprintf(key, CL_PATH_MAX_BYTES, "%s/wallet.hck", run->app.folder);

    if (n < 0 || n >= CL_PATH_MAX_BYTES)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "--wallet");
    return beside(run, key, ".doc", doc);
}

/* The address that a document is of, before it is followed: its inception's. */
static cg_err address_of(struct cg_span doc, struct cg_waddr *out)
{
    struct cg_wallet_doc inception;

    /* A rotated wallet's is an array, whose first member is the inception as a byte string with a
     * head of three bytes. */
    if (doc.len > CG_WALLET_DOC_BYTES && (doc.at[0] & 0xe0) == 0x80)
        doc = cg_span_first(cg_span_from(doc, 4), CG_WALLET_DOC_BYTES);
    CG_TRY(cg_wallet_doc_read(doc, &inception));
    return cg_wallet_doc_address(&inception, out);
}

int cl_wallet_next_path(struct cl_run *run, const char *key, char out[static CL_PATH_MAX_BYTES])
{
    int n;

    if (cl_text(run->args, CL_WALLET))
        return beside(run, key, "-next.hck", out);
    n = snprintf(out, CL_PATH_MAX_BYTES, "%s/next.hck", run->app.folder);
    return n > 0 && n < CL_PATH_MAX_BYTES
               ? 0
               : cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "a path");
}

int cl_wallet_doc_read(struct cl_run *run, const char *path, struct cg_did_state *state,
                       struct cg_buf *doc)
{
    struct cg_waddr waddr;
    cg_err err = cg_file_read(path, DOC_MAX_BYTES, doc);

    if (err == CG_NOT_FOUND)
        return cl_fail(run->show, CL_EXIT_IDENTITY, CG_OK,
                       "httpcg wallet new makes a wallet; --wallet names another", "there is no %s",
                       path);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_READ, err, NULL, "cannot read %s", path);
    err = address_of(cg_buf_span(doc), &waddr);
    if (err == CG_OK)
        err = cg_did_check(run->app.crypto, cg_buf_span(doc), &waddr, state);
    if (err == CG_OK)
        return 0;
    cg_buf_done(doc);
    return cl_fail(run->show, CL_EXIT_KEY, err,
                   "it is public: httpcg wallet restore makes it again from a backup",
                   "%s is no wallet document", path);
}

int cl_wallet_doc(struct cl_run *run, struct cg_did_state *state, struct cg_buf *doc)
{
    char key[CL_PATH_MAX_BYTES], path[CL_PATH_MAX_BYTES];
    int code = cl_wallet_paths(run, key, path);

    return code != 0 ? code : cl_wallet_doc_read(run, path, state, doc);
}

static bool is_keys(const struct cg_public_keys *a, const struct cg_public_keys *b)
{
    return memcmp(a->ed25519, b->ed25519, sizeof a->ed25519) == 0 &&
           memcmp(a->mldsa87, b->mldsa87, sizeof a->mldsa87) == 0;
}

cg_err cl_wallet_signs(const struct cl_app *app, const struct cl_key *key,
                       const struct cg_did_state *state, bool *out)
{
    struct cg_signer *signer;

    CG_TRY(cg_key_heap_signer(app->crypto, cg_locked_get(key->seed), &signer));
    *out = is_keys(cg_signer_public(signer), &state->keys);
    cg_signer_free(signer);
    return CG_OK;
}

static int check_keys(struct cl_run *run, const struct cl_key *key,
                      const struct cg_did_state *state, const char *path)
{
    bool is_its = false;
    cg_err err = cl_wallet_signs(&run->app, key, state, &is_its);

    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot use %s", path);
    return is_its ? 0
                  : cl_fail(run->show, CL_EXIT_KEY, CG_OK,
                            "where httpcg wallet rotate was interrupted, the same command again "
                            "goes on with it",
                            "%s and the document beside it are of two different wallets", path);
}

int cl_wallet_open(struct cl_run *run)
{
    char path[CL_PATH_MAX_BYTES], doc_path[CL_PATH_MAX_BYTES];
    struct cl_wallet *wallet = &run->app.wallet;
    struct cg_did_state state;
    struct cl_key key = {0};
    int code = cl_wallet_paths(run, path, doc_path);

    if (code != 0 || wallet->seed)
        return code;
    code = cl_wallet_doc_read(run, doc_path, &state, &wallet->doc);
    if (code == 0)
        code = cl_key_open(run, path, NULL, &key);
    if (code == 0)
        code = check_keys(run, &key, &state, path);
    if (code == 0) {
        wallet->waddr = state.waddr;
        wallet->seed = key.seed;
        key.seed = NULL;
    }
    cl_key_done(&key);
    return code;
}
