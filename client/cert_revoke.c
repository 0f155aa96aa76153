/* cert_revoke.c: httpcg cert revoke: a certificate is not to be believed any more. */
#include "client/submit.h"
#include "client/wallet.h"

#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/revoke.h"
#include "runtime/clock.h"

/* Which one: FILE's, which has to be this wallet's, or --fingerprint. */
static int find_fingerprint(struct cl_run *run, const struct cg_waddr *owner, struct cg_hash *out)
{
    const char *text = cl_text(run->args, CL_FINGERPRINT);
    struct cg_buf document = {0};
    struct cg_cert cert;

    if ((run->n_words > 0) == (text != NULL))
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "name the certificate's FILE, or its --fingerprint");
    if (text)
        return cg_hex_read(cg_span_str(text), out->bytes, CG_HASH_BYTES) == CG_OK
                   ? 0
                   : cl_fail(run->show, CL_EXIT_USAGE, CG_OK,
                             "64 hexadecimal digits, as httpcg cert show prints them",
                             "--fingerprint %.80s", text);
    int code = cl_read(run, run->words[0], CG_CERT_MAX_BYTES, &document);
    if (code == 0 && cg_cert_read(cg_buf_span(&document), &cert) != CG_OK)
        code = cl_fail(run->show, CL_EXIT_CERTIFICATE, CG_OK, NULL, "%s is no TLSLS certificate",
                       run->words[0]);
    if (code == 0 && !cg_waddr_eq(&cert.subject, owner))
        code = cl_fail(run->show, CL_EXIT_IDENTITY, CG_OK, "--wallet names another wallet",
                       "%s is a certificate of another DID, did:bpi:%s", run->words[0],
                       cert.subject.text);
    if (code == 0)
        *out = cert.fingerprint;
    cg_buf_done(&document);
    return code;
}

/* The keys that say so: the wallet's, or those it commits to. */
static int open_revoker(struct cl_run *run, struct cg_did_state *state, struct cg_signer **out)
{
    char key_path[CL_PATH_MAX_BYTES], path[CL_PATH_MAX_BYTES];
    struct cg_buf doc = {0};
    struct cl_key key = {0};
    bool is_next = cl_is_on(run->args, CL_NEXT), is_its = false;
    int code = cl_wallet_doc(run, state, &doc);

    cg_buf_done(&doc);
    if (code == 0)
        code = cl_wallet_paths(run, key_path, path);
    if (code == 0 && is_next)
        code = cl_wallet_next_path(run, key_path, path);
    if (code == 0)
        code = cl_key_open(run, is_next ? path : key_path, NULL, &key);
    if (code != 0)
        return code;
    cg_err err = cg_key_heap_signer(run->app.crypto, cg_locked_get(key.seed), out);
    cl_key_done(&key);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot use the keys");
    struct cg_hash commitment;
    if (is_next)
        is_its = cg_next_hash(cg_signer_public(*out), &commitment) == CG_OK &&
                 cg_hash_eq(&commitment, &state->next);
    else
        is_its = memcmp(cg_signer_public(*out), &state->keys, sizeof state->keys) == 0;
    return is_its ? 0
                  : cl_fail(run->show, CL_EXIT_KEY, CG_OK, NULL,
                            "%s and the wallet's document are of two different wallets",
                            is_next ? path : key_path);
}

static int revoke(struct cl_run *run, const struct cg_hash *fingerprint,
                  const struct cg_did_state *state, const struct cg_signer *signer)
{
    CG_AUTO(buf) struct cg_buf statement = {0};
    char fpr[2 * CG_HASH_BYTES + 1] = {0};

    cg_buf_init(&statement, CG_DOCUMENT_MAX_BYTES);
    cg_err err = cg_revoke_issue(signer, &state->waddr, cg_clock_wall(), fingerprint,
                                 cl_is_on(run->args, CL_NEXT), &statement);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot sign the revocation");
    int code = cl_submit(run, "the revocation", cg_buf_span(&statement));
    if (code == 0) {
        cg_hex_write(cg_hash_span(fingerprint), fpr);
        cl_say(run->show, "revoked  %s, for good", fpr);
        cl_add_text(run->show, "fingerprint", fpr);
    }
    return code;
}

int cl_run_cert_revoke(struct cl_run *run)
{
    struct cg_signer *signer = NULL;
    struct cg_did_state state;
    struct cg_hash fingerprint;
    struct cg_buf doc = {0};
    int code = cl_run_trust(run);

    /* What is wrong with the words is said before anybody is asked for a passphrase. */
    if (code == 0)
        code = cl_wallet_doc(run, &state, &doc);
    if (code == 0)
        code = find_fingerprint(run, &state.waddr, &fingerprint);
    if (code == 0)
        code = open_revoker(run, &state, &signer);
    if (code == 0)
        code = revoke(run, &fingerprint, &state, signer);
    cg_signer_free(signer);
    cg_buf_done(&doc);
    return code;
}
