/* wallet_new.c: httpcg wallet new: keys for each of the roles that have some. */
#include "client/bundle.h"
#include "client/wallet.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/trust/trust.h"

static const struct role {
    const char *name;   /* as the key file says it */
    const char *file;   /* without ending */
    const char *next;   /* the file of the next generation's seed, without ending; NULL: none */
    const char *remark; /* for people */
} roles[] = {
    {"identity", "wallet", "next", "your own: it signs grants, certificates, records and policies"},
    {"registry", "registry", "registry-next", "a registry's own DID, which confirms records"},
    {"log", "log", NULL, "a ledger's, which signs its heads"},
    {"transport", "transport", NULL, "a gateway's online keys, named in its certificate"},
};

#define N_ROLES (sizeof roles / sizeof roles[0])

static const struct role *find_role(const char *name)
{
    for (size_t i = 0; i < N_ROLES; i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    return NULL;
}

struct paths {
    char key[CL_PATH_MAX_BYTES], next[CL_PATH_MAX_BYTES], doc[CL_PATH_MAX_BYTES],
        vkey[CL_PATH_MAX_BYTES];
    const char *folder; /* to be made; NULL: it has to be there */
};

/* Below the folder under the role's own names, or beside --wallet. */
static int find_paths(struct cl_run *run, const struct role *role, struct paths *out)
{
    const char *chosen = cl_text(run->args, CL_WALLET), *folder = cl_text(run->args, CL_FOLDER);
    struct cg_span stem = cg_span_str(chosen);
    char base[CL_PATH_MAX_BYTES], next[CL_PATH_MAX_BYTES];
    int n, m;

    if (cg_span_ends(stem, CG_LIT(".hck")))
        stem.len -= 4;
    if (!folder)
        folder = run->app.folder;
    if (chosen) {
        n = snprintf(base, sizeof base, "%.*s", (int)stem.len, chosen);
        m = snprintf(next, sizeof next, "%.*s-next", (int)stem.len, chosen);
    } else {
        n = snprintf(base, sizeof base, "%s/%s", folder, role->file);
        m = snprintf(next, sizeof next, "%s/%s", folder, role->next ? role->next : "");
    }
    if (n < 0 || n > CL_PATH_MAX_BYTES - 8 || m < 0 || m > CL_PATH_MAX_BYTES - 8)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "the path of a key file");
    snprintf(out->key, sizeof out->key, "%.*s.hck", n, base);
    snprintf(out->doc, sizeof out->doc, "%.*s.doc", n, base);
    snprintf(out->vkey, sizeof out->vkey, "%.*s.vkey", n, base);
    snprintf(out->next, sizeof out->next, "%.*s.hck", m, next);
    out->folder = chosen ? NULL : folder;
    return 0;
}

/* What there will be; that it is there already is found before anybody is asked for anything. */
static int plan(struct cl_run *run, const struct role *role, const struct paths *paths,
                struct cl_bundle *bundle)
{
    bool is_log = strcmp(role->name, "log") == 0;
    int code;

    cl_bundle_init(bundle, run);
    code = cl_bundle_plan(bundle, paths->key);
    if (code == 0 && role->next)
        code = cl_bundle_plan(bundle, paths->next);
    if (code == 0 && role->next)
        code = cl_bundle_plan(bundle, paths->doc);
    return code == 0 && is_log ? cl_bundle_plan(bundle, paths->vkey) : code;
}

/* The document of S's keys and R's commitment. */
static cg_err make_doc(struct cl_run *run, const struct cl_key *key, const struct cl_key *next,
                       uint8_t out[CG_WALLET_DOC_BYTES], struct cg_waddr *out_waddr)
{
    struct cg_signer *signer;
    struct cg_wallet_doc doc;
    struct cg_hash commitment;

    CG_TRY(cg_wallet_next(run->app.crypto, cg_locked_get(next->seed), &commitment));
    CG_TRY(cg_key_heap_signer(run->app.crypto, cg_locked_get(key->seed), &signer));
    cg_wallet_doc_make(signer, &commitment, &doc);
    cg_signer_free(signer);
    cg_wallet_doc_write(&doc, out);
    return cg_wallet_doc_address(&doc, out_waddr);
}

static int told(struct cl_run *run, const struct role *role, const struct paths *paths,
                const struct cg_waddr *waddr)
{
    char did[CG_DID_CHARS + 1];

    cg_did_write(waddr, did);
    cl_say(run->show, "did      %s", did);
    cl_say(run->show, "key      %s", paths->key);
    cl_say(run->show, "next     %s", paths->next);
    cl_say(run->show, "document %s", paths->doc);
    cl_say(
        run->show,
        "\nKeep %s apart from this machine: it takes the %s back should %s be stolen, and nothing "
        "else can.",
        paths->next, strcmp(role->name, "identity") == 0 ? "wallet" : "DID", paths->key);
    cl_say(run->show, "httpcg wallet backup --next prints both seeds, to be kept on paper.");
    cl_add_text(run->show, "role", role->name);
    cl_add_text(run->show, "did", did);
    cl_add_text(run->show, "wallet_address", waddr->text);
    cl_add_text(run->show, "key", paths->key);
    cl_add_text(run->show, "next", paths->next);
    cl_add_text(run->show, "document", paths->doc);
    return 0;
}

static int make_did(struct cl_run *run, const struct role *role, const struct paths *paths,
                    struct cl_bundle *bundle, struct cg_span pass)
{
    struct cl_key key = {0}, next = {0};
    uint8_t doc[CG_WALLET_DOC_BYTES];
    struct cg_waddr waddr;
    int code = cl_key_new(run, role->name, &key);

    if (code == 0)
        code = cl_key_new(run, role->name, &next);
    if (code == 0) {
        cg_err err = make_doc(run, &key, &next, doc, &waddr);

        if (err != CG_OK)
            code = cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot make the document");
    }
    if (code == 0) {
        memcpy(key.hint, waddr.text, sizeof waddr.text);
        memcpy(next.hint, waddr.text, sizeof waddr.text);
        /* The next seed first: a wallet without it could be stolen for good. */
        code = cl_bundle_write_key(bundle, paths->next, &next, pass);
    }
    if (code == 0)
        code = cl_bundle_write_key(bundle, paths->key, &key, pass);
    if (code == 0)
        code = cl_bundle_write(bundle, paths->doc, CG_BYTES(doc));
    cl_key_done(&key);
    cl_key_done(&next);
    return code == 0 ? told(run, role, paths, &waddr) : code;
}

static int write_vkeys(struct cl_run *run, struct cl_bundle *bundle, const struct cl_key *key,
                       const char *origin, const char *path)
{
    struct cg_signer *signer;
    uint8_t text[8192];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    cg_err err = cg_key_heap_signer(run->app.crypto, cg_locked_get(key->seed), &signer);

    if (err == CG_OK) {
        err = cg_trust_log_write(cg_span_str(origin), cg_signer_public(signer), &w);
        cg_signer_free(signer);
    }
    if (err == CG_OK)
        err = cg_writer_end(&w);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, err,
                       "an origin is like ledger.example/log1: no spaces, no plus sign",
                       "--origin %s", origin);
    int code = cl_bundle_write(bundle, path, cg_writer_span(&w));
    if (code == 0) {
        cl_say(run->show, "vkeys    %s (two lines for trust files)", path);
        cl_add_text(run->show, "vkeys", path);
        cl_add_text(run->show, "origin", origin);
    }
    return code;
}

static int make_key(struct cl_run *run, const struct role *role, const struct paths *paths,
                    struct cl_bundle *bundle, struct cg_span pass)
{
    bool is_log = strcmp(role->name, "log") == 0;
    const char *origin = cl_text(run->args, CL_ORIGIN);
    struct cl_key key = {0};

    if (is_log && !origin)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "--origin NAME is missing: the log's name, such as ledger.example/log1");
    int code = cl_key_new(run, role->name, &key);
    if (code == 0)
        code = cl_bundle_write_key(bundle, paths->key, &key, pass);
    if (code == 0 && is_log)
        code = write_vkeys(run, bundle, &key, origin, paths->vkey);
    if (code == 0) {
        cl_say(run->show, "key      %s", paths->key);
        cl_add_text(run->show, "role", role->name);
        cl_add_text(run->show, "key", paths->key);
    }
    cl_key_done(&key);
    return code;
}

int cl_run_wallet_new(struct cl_run *run)
{
    const char *name = cl_text(run->args, CL_ROLE);
    const struct role *role = find_role(name ? name : "identity");
    struct cg_buf pass = {0};
    struct paths paths;
    int code = cl_run_open(run);

    if (code != 0)
        return code;
    if (!role)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK,
                       "there are identity, registry, log and transport", "--role %s: no such role",
                       name);
    struct cl_bundle bundle = {0};
    code = find_paths(run, role, &paths);
    if (code == 0)
        code = plan(run, role, &paths, &bundle);
    if (code == 0)
        code = cl_pass_get(run, CL_PASS_NEW, paths.key, &pass);
    if (code == 0)
        code = cl_bundle_begin(&bundle, paths.folder);
    if (code == 0)
        code = role->next ? make_did(run, role, &paths, &bundle, cg_buf_span(&pass))
                          : make_key(run, role, &paths, &bundle, cg_buf_span(&pass));
    cl_bundle_end(&bundle, code == 0);
    cg_buf_wipe(&pass);
    return code;
}
