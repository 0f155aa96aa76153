/* policy.c: httpcg policy sign, show, publish. */
#include "client/policy.h"

#include "client/submit.h"
#include "lib/access/policy.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/identity/cose.h"

static const char rbac[] =
    "{\"v\":1,\"kind\":\"rbac\",\"name\":\"%s\",\"owner\":\"%s\",\"version\":1,"
    "\"default\":\"deny\",\"conceal\":false,\"rules\":[{\"methods\":"
    "[\"GET\",\"HEAD\",\"OPTIONS\",\"POST\",\"PUT\",\"PATCH\",\"DELETE\"],"
    "\"path\":\"/**\",\"roles\":[\"any-wallet\"],\"sapi\":\"grant\"}],"
    "\"web2\":{\"allow\":false},\"padding\":1,\"max_checkpoint_age\":21600}";
static const char gateway[] =
    "{\"v\":1,\"kind\":\"gateway\",\"name\":\"%s\",\"owner\":\"%s\",\"version\":1,"
    "\"tls\":{\"min\":\"1.3\",\"groups\":[\"X25519MLKEM768\"]},\"planes\":[\"app\"],"
    "\"sapi_min\":\"none\",\"padding\":1,\"max_epochs\":60,\"max_checkpoint_age\":21600}";

cg_err cl_policy_default(const char *kind, const char *name, const struct cg_waddr *owner,
                         struct cg_buf *out)
{
    char text[1024], did[CG_DID_CHARS + 1];

    cg_did_write(owner, did);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int n = snprintf(text, sizeof text, strcmp(kind, "gateway") == 0 ? gateway : rbac, name, did);
#pragma GCC diagnostic pop
    if (n < 0 || (size_t)n >= sizeof text)
        return CG_TOO_LARGE;
    cg_buf_init(out, sizeof text);
    return cg_buf_add(out, cg_span_of(text, (size_t)n));
}

static int read_json(struct cl_run *run, const char *what, struct cg_span json,
                     struct cg_policy **out)
{
    struct cg_policy_fault fault = {.text = ""};
    cg_err err = cg_policy_read_json(json, out, &fault);

    if (err == CG_OK)
        return 0;
    return cl_fail(run->show, CL_EXIT_READ, CG_OK, NULL, "%s is no policy: %s%s%s", what,
                   fault.where, fault.where[0] ? " " : "", fault.text);
}

int cl_policy_sign(struct cl_run *run, const char *what, struct cg_span json, struct cg_buf *out)
{
    struct cg_policy *policy = NULL;
    struct cg_signer *signer = NULL;
    int code = read_json(run, what, json, &policy);

    if (code == 0 && !cg_waddr_eq(cg_policy_owner(policy), &run->app.wallet.waddr))
        code = cl_fail(run->show, CL_EXIT_IDENTITY, CG_OK,
                       "its \"owner\" must be the DID that httpcg wallet show prints",
                       "%s has another owner than this wallet", what);
    if (code == 0) {
        cg_err err =
            cg_key_heap_signer(run->app.crypto, cg_locked_get(run->app.wallet.seed), &signer);

        cg_buf_init(out, CG_DOCUMENT_MAX_BYTES);
        if (err == CG_OK)
            err = cg_cose_issue(signer, CG_DOC_POLICY, cg_policy_cbor(policy),
                                (struct cg_span){NULL, 0}, (struct cg_span){NULL, 0}, out);
        if (err != CG_OK)
            code = cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot sign %s", what);
    }
    cg_signer_free(signer);
    cg_policy_free(policy);
    return code;
}

static int tell(struct cl_run *run, const struct cg_policy *policy)
{
    char hash[2 * CG_HASH_BYTES + 1] = {0}, did[CG_DID_CHARS + 1];
    struct cg_span name = cg_policy_name(policy);

    cg_hex_write(cg_hash_span(cg_policy_hash(policy)), hash);
    cg_did_write(cg_policy_owner(policy), did);
    cl_say(run->show, "name     %.*s", (int)name.len, (const char *)name.at);
    cl_say(run->show, "kind     %s", cg_policy_kind(policy) == CG_POLICY_RBAC ? "rbac" : "gateway");
    cl_say(run->show, "version  %llu", (unsigned long long)policy->version);
    cl_say(run->show, "owner    %s", did);
    cl_say(run->show, "hash     %s", hash);
    cl_add_text(run->show, "policy_hash", hash);
    cl_add_text(run->show, "owner", did);
    return 0;
}

/* The document is whole and signed; whose keys they are, only the ledger tells. */
static int show(struct cl_run *run, const char *path, struct cg_span document)
{
    struct cg_policy *policy = NULL;
    struct cg_cose cose;

    if (cg_cose_read(document, CG_DOC_POLICY, &cose) != CG_OK ||
        cg_policy_read_cbor(cose.payload, &policy, NULL) != CG_OK)
        return cl_fail(run->show, CL_EXIT_READ, CG_OK, NULL, "%s is no signed policy", path);
    int code = tell(run, policy);
    cg_policy_free(policy);
    return code;
}

int cl_run_policy_show(struct cl_run *run)
{
    struct cg_buf document = {0};
    int code = cl_run_open(run);

    if (code == 0)
        code = cl_read(run, run->words[0], CG_DOCUMENT_MAX_BYTES, &document);
    if (code == 0)
        code = show(run, run->words[0], cg_buf_span(&document));
    cg_buf_done(&document);
    return code;
}

/* The JSON of the file named, or the default of a kind. */
static int get_json(struct cl_run *run, struct cg_buf *out)
{
    const char *role = cl_text(run->args, CL_ROLE), *name = cl_text(run->args, CL_NAME);

    if (run->n_words > 0)
        return cl_read(run, run->words[0], CG_POLICY_MAX_BYTES, out);
    if (!role || (strcmp(role, "gateway") != 0 && strcmp(role, "rbac") != 0))
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "name a policy's JSON, or --role gateway or --role rbac for the default");
    bool is_gateway = strcmp(role, "gateway") == 0;
    cg_err err = cl_policy_default(role,
                                   name         ? name
                                   : is_gateway ? "gw-default"
                                                : "web-default",
                                   &run->app.wallet.waddr, out);
    return err == CG_OK ? 0 : cl_fail(run->show, CL_EXIT_USAGE, err, NULL, "--name %s", name);
}

static int sign(struct cl_run *run, struct cg_buf *out)
{
    struct cg_buf json = {0};
    int code = cl_wallet_open(run);

    if (code == 0)
        code = get_json(run, &json);
    if (code == 0)
        code = cl_policy_sign(run, run->n_words > 0 ? run->words[0] : "the default policy",
                              cg_buf_span(&json), out);
    cg_buf_done(&json);
    return code;
}

int cl_run_policy_sign(struct cl_run *run)
{
    const char *path = cl_text(run->args, CL_OUTPUT);
    struct cg_buf document = {0};
    int code = cl_run_open(run);

    if (code == 0 && !path)
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "-o FILE is missing");
    if (code == 0)
        code = sign(run, &document);
    if (code == 0)
        code = cl_write(run, path, cg_buf_span(&document));
    if (code == 0)
        code = show(run, path, cg_buf_span(&document));
    cg_buf_done(&document);
    return code;
}

int cl_run_policy_publish(struct cl_run *run)
{
    struct cg_buf document = {0};
    int code = cl_run_trust(run);

    if (code == 0)
        code = cl_wallet_open(run);
    if (code == 0)
        code = sign(run, &document);
    /* The ledger looks the owner's keys up, so it has to know them. */
    if (code == 0)
        code = cl_submit_wallet(run, cg_buf_span(&run->app.wallet.doc));
    if (code == 0)
        code = cl_submit(run, "the policy", cg_buf_span(&document));
    if (code == 0)
        code = show(run, run->n_words > 0 ? run->words[0] : "the policy", cg_buf_span(&document));
    cg_buf_done(&document);
    return code;
}
