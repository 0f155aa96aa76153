#include "gateway/identity.h"

#include "gateway/options.h"
#include "lib/access/policy.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/identity/cose.h"
#include "runtime/file.h"
#include "runtime/key_heap.h"
#include "runtime/seed.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define PEM_MAX_BYTES (64 * 1024)

struct gw_identity *gw_identity_ref(struct gw_identity *identity)
{
    atomic_fetch_add_explicit(&identity->refs, 1, memory_order_relaxed);
    return identity;
}

void gw_identity_unref(struct gw_identity *identity)
{
    if (!identity || atomic_fetch_sub_explicit(&identity->refs, 1, memory_order_acq_rel) != 1)
        return;
    cg_tls_site_unref(identity->site);
    cg_signer_free(identity->transport);
    cg_buf_done(&identity->document);
    cg_buf_done(&identity->policy);
    cg_buf_done(&identity->staple);
    pthread_mutex_destroy(&identity->lock);
    free(identity);
}

void gw_identity_set_staple(struct gw_identity *identity, struct cg_buf *staple)
{
    pthread_mutex_lock(&identity->lock);
    struct cg_buf before = identity->staple;
    identity->staple = *staple;
    pthread_mutex_unlock(&identity->lock);
    *staple = (struct cg_buf){0};
    cg_buf_done(&before);
    atomic_store(&identity->has_staple, true);
}

cg_err gw_identity_inherit(struct gw_identity *identity, struct gw_identity *from)
{
    struct cg_buf staple;

    cg_buf_init(&staple, CG_CERT_MAX_BYTES);
    pthread_mutex_lock(&from->lock);
    cg_err err = cg_buf_add(&staple, cg_buf_span(&from->staple));
    pthread_mutex_unlock(&from->lock);
    CG_TRY(err);
    if (staple.len > 0)
        gw_identity_set_staple(identity, &staple);
    atomic_store(&identity->is_revoked, atomic_load(&from->is_revoked));
    return CG_OK;
}

cg_err gw_identity_write(struct gw_identity *identity, struct cg_buf *out)
{
    struct cg_cose cose;

    CG_TRY(cg_cose_read(cg_buf_span(&identity->document), CG_DOC_TLSLS, &cose));
    pthread_mutex_lock(&identity->lock);
    cose.staple = cg_buf_span(&identity->staple);
    cg_err err = cose.staple.len == 0 ? CG_BUSY : cg_cose_write(&cose, out);
    pthread_mutex_unlock(&identity->lock);
    return err;
}

static cg_err complain(struct cg_problems *problems, const char *setting, const char *file,
                       const char *what)
{
    cg_problem_add(problems, file ? file : "gateway", 0, 0, "%s (gateway.%s)", what, setting);
    return CG_CONFIG;
}

static cg_err read_file(const char *setting, const char *file, size_t max, bool is_secret,
                        struct cg_problems *problems, struct cg_buf *out)
{
    if (!file)
        return complain(problems, setting, NULL, "is not set, and a gateway needs it");
    cg_err err = is_secret ? cg_file_read_secret(file, max, out) : cg_file_read(file, max, out);
    switch (err) {
    case CG_OK:
        return CG_OK;
    case CG_NO_MEMORY:
        return err;
    case CG_CONFIG:
        return complain(problems, setting, file,
                        "holds a secret and others may read it; chmod 600 it");
    case CG_NOT_FOUND:
        return complain(problems, setting, file, "does not exist");
    case CG_TOO_LARGE:
        return complain(problems, setting, file, "is larger than such a file can be");
    default:
        return complain(problems, setting, file, "cannot be read; are owner and mode right?");
    }
}

static cg_err read_certificate(const struct gw_options *options, struct cg_wall now,
                               struct cg_problems *problems, struct gw_identity *id)
{
    CG_TRY(read_file("certificate", options->certificate, CG_CERT_MAX_BYTES, false, problems,
                     &id->document));
    cg_err err = cg_cert_read(cg_buf_span(&id->document), &id->cert);
    if (err != CG_OK)
        return complain(problems, "certificate", options->certificate,
                        "is not a TLSLS certificate; httpcg cert issue makes one");
    if (id->cert.role != CG_ROLE_GATEWAY)
        return complain(problems, "certificate", options->certificate,
                        "is a certificate of another role than gateway");
    if (cg_cert_check_times(&id->cert, now) != CG_OK)
        return complain(problems, "certificate", options->certificate,
                        "is not valid now; renew it, or check this machine's clock");
    if (id->cert.wallet_doc.len == 0)
        return complain(problems, "certificate", options->certificate,
                        "comes without its wallet document; issue it with httpcg cert issue");
    for (size_t i = 0; i < options->names.n; i++) {
        const char *name = *CG_LIST_AT(options->names, const char *, i);

        if (cg_cert_check_name(&id->cert, cg_span_str(name)) != CG_OK)
            return complain(problems, "names", options->certificate,
                            "does not list every name of this gateway");
    }
    cg_did_write(&id->cert.subject, id->did);
    return CG_OK;
}

static cg_err open_transport(const struct gw_options *options, const struct cg_crypto *crypto,
                             struct cg_problems *problems, struct gw_identity *id)
{
    const struct cg_seed_ask ask = {
        .section = "gateway",
        .key = options->transport_key,
        .passphrase = options->transport_passphrase,
        .role = "transport",
    };
    struct cg_secret seed;

    CG_TRY(cg_seed_load(crypto, &ask, problems, &seed));
    cg_err err = cg_key_heap_signer(crypto, &seed, &id->transport);
    cg_secret_done(&seed);
    CG_TRY(err);
    const struct cg_public_keys *keys = cg_signer_public(id->transport);
    if (memcmp(keys, &id->cert.transport, sizeof *keys) != 0)
        return complain(problems, "transport_key", options->transport_key,
                        "holds other keys than the certificate names");
    return CG_OK;
}

static cg_err read_policy(const struct gw_options *options, struct cg_problems *problems,
                          struct gw_identity *id)
{
    struct cg_policy *policy;
    struct cg_cose cose;
    struct cg_hash hash;

    CG_TRY(read_file("policy", options->policy, CG_POLICY_MAX_BYTES, false, problems, &id->policy));
    if (cg_cose_read(cg_buf_span(&id->policy), CG_DOC_POLICY, &cose) != CG_OK)
        return complain(problems, "policy", options->policy, "is not a signed policy document");
    CG_TRY(cg_policy_hash_of(cose.payload, &hash));
    if (!cg_hash_eq(&hash, &id->cert.policy_hash))
        return complain(problems, "policy", options->policy,
                        "is another policy than the certificate promises");
    cg_err err = cg_policy_read_cbor(cose.payload, &policy, NULL);
    if (err != CG_OK || policy->kind != CG_POLICY_GATEWAY) {
        cg_policy_free(err == CG_OK ? policy : NULL);
        return complain(problems, "policy", options->policy, "is no policy of the kind gateway");
    }
    id->sapi_min = policy->sapi_min;
    id->max_epochs = (uint32_t)policy->max_epochs;
    cg_policy_free(policy);
    return CG_OK;
}

static cg_err make_site(const struct gw_options *options, struct cg_problems *problems,
                        struct gw_identity *id)
{
    struct cg_buf chain = {0}, key = {0};
    struct cg_span names[CG_CERT_NAMES_MAX];
    struct cg_cert_ref ref;
    uint8_t reference[CG_CERT_REF_BYTES];

    cg_err err = read_file("tls_certificate", options->tls_certificate, PEM_MAX_BYTES, false,
                           problems, &chain);
    if (err == CG_OK)
        err = read_file("tls_key", options->tls_key, PEM_MAX_BYTES, true, problems, &key);
    if (err == CG_OK) {
        for (size_t i = 0; i < id->cert.n_names; i++)
            names[i] = id->cert.names[i];
        cg_cert_ref_of(&id->cert, &ref);
        cg_cert_ref_write(&ref, reference);
        const struct cg_tls_site_options site = {
            .chain = cg_buf_span(&chain),
            .key = cg_buf_span(&key),
            .names = names,
            .n_names = id->cert.n_names,
            .reference = CG_BYTES(reference),
            .fingerprint = id->cert.fingerprint,
        };
        err = cg_sha256_2(cg_buf_span(&chain), cg_buf_span(&key), &id->leaf);
        cg_key_heap_begin();
        if (err == CG_OK)
            err = cg_tls_site_new(&site, &id->site);
        cg_key_heap_end();
        if (err == CG_CONFIG)
            err = complain(problems, "tls_certificate", options->tls_certificate,
                           "and its key do not belong together, or cannot be read");
    }
    if (err == CG_OK && cg_cert_check_leaf(&id->cert, cg_tls_site_spki(id->site)) != CG_OK)
        err =
            complain(problems, "tls_certificate", options->tls_certificate,
                     "has a key that the TLSLS certificate does not list; issue that for this key");
    cg_buf_done(&chain);
    cg_buf_wipe(&key);
    return err;
}

cg_err gw_identity_load(const struct gw_options *options, const struct cg_crypto *crypto,
                        struct cg_wall now, struct cg_problems *problems, struct gw_identity **out)
{
    struct gw_identity *id = calloc(1, sizeof *id);

    if (!id)
        return CG_NO_MEMORY;
    id->refs = 1;
    pthread_mutex_init(&id->lock, NULL);
    cg_err err = read_certificate(options, now, problems, id);
    if (err == CG_OK)
        err = open_transport(options, crypto, problems, id);
    if (err == CG_OK)
        err = read_policy(options, problems, id);
    if (err == CG_OK)
        err = make_site(options, problems, id);
    if (err != CG_OK) {
        gw_identity_unref(id);
        return err;
    }
    *out = id;
    return CG_OK;
}
