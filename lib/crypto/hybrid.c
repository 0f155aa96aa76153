#include "lib/crypto/hybrid.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"

#include <stdlib.h>

struct cg_signer {
    struct cg_sign_key *ed25519, *mldsa87;
    struct cg_public_keys keys;
};

struct cg_verifier {
    struct cg_verify_key *ed25519, *mldsa87;
    struct cg_public_keys keys;
};

void cg_seeds_done(struct cg_seeds *seeds)
{
    cg_secret_done(&seeds->ed25519);
    cg_secret_done(&seeds->mldsa87);
}

cg_err cg_signer_new(const struct cg_crypto *crypto, const struct cg_seeds *seeds,
                     struct cg_signer **out)
{
    struct cg_signer *signer = calloc(1, sizeof *signer);

    if (!signer)
        return CG_NO_MEMORY;
    cg_err err = cg_sign_key_new(crypto, CG_ALG_ED25519, &seeds->ed25519, &signer->ed25519);
    if (err == CG_OK)
        err = cg_sign_key_new(crypto, CG_ALG_MLDSA87, &seeds->mldsa87, &signer->mldsa87);
    if (err == CG_OK)
        err = cg_sign_key_public(signer->ed25519, signer->keys.ed25519);
    if (err == CG_OK)
        err = cg_sign_key_public(signer->mldsa87, signer->keys.mldsa87);
    if (err != CG_OK) {
        cg_signer_free(signer);
        return err;
    }
    *out = signer;
    return CG_OK;
}

void cg_signer_free(struct cg_signer *signer)
{
    if (!signer)
        return;
    cg_sign_key_free(signer->ed25519);
    cg_sign_key_free(signer->mldsa87);
    free(signer);
}

const struct cg_public_keys *cg_signer_public(const struct cg_signer *signer)
{
    return &signer->keys;
}

const struct cg_sign_key *cg_signer_half(const struct cg_signer *signer, enum cg_alg alg)
{
    return alg == CG_ALG_ED25519 ? signer->ed25519 : signer->mldsa87;
}

cg_err cg_verifier_new(const struct cg_crypto *crypto, const struct cg_public_keys *keys,
                       struct cg_verifier **out)
{
    struct cg_verifier *verifier = calloc(1, sizeof *verifier);

    if (!verifier)
        return CG_NO_MEMORY;
    verifier->keys = *keys;
    cg_err err =
        cg_verify_key_new(crypto, CG_ALG_ED25519, CG_BYTES(keys->ed25519), &verifier->ed25519);
    if (err == CG_OK)
        err =
            cg_verify_key_new(crypto, CG_ALG_MLDSA87, CG_BYTES(keys->mldsa87), &verifier->mldsa87);
    if (err != CG_OK) {
        cg_verifier_free(verifier);
        return err;
    }
    *out = verifier;
    return CG_OK;
}

void cg_verifier_free(struct cg_verifier *verifier)
{
    if (!verifier)
        return;
    cg_verify_key_free(verifier->ed25519);
    cg_verify_key_free(verifier->mldsa87);
    free(verifier);
}

const struct cg_public_keys *cg_verifier_public(const struct cg_verifier *verifier)
{
    return &verifier->keys;
}

const struct cg_verify_key *cg_verifier_half(const struct cg_verifier *verifier, enum cg_alg alg)
{
    return alg == CG_ALG_ED25519 ? verifier->ed25519 : verifier->mldsa87;
}
