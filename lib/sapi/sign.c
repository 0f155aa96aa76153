#include "lib/crypto/sign.h"
#include "lib/base/try.h"
#include "lib/crypto/hsig.h"
#include "lib/qlock/kit.h"

#include <httpcg/sapi.h>

static const struct cg_span no_context = {NULL, 0};

cg_err cg_sapi_mac(struct cg_kit *kit, const struct cg_secret *key, struct cg_span tbs,
                   struct cg_hash *out)
{
    return cg_mac_whole(kit->mac, key, tbs, out);
}

cg_err cg_sapi_check_mac(struct cg_kit *kit, const struct cg_secret *key, struct cg_span tbs,
                         struct cg_span signature)
{
    return cg_mac_check(kit->mac, key, tbs, signature);
}

cg_err cg_sapi_sign_session(const struct cg_crypto *crypto, const struct cg_secret *seed,
                            struct cg_span tbs, uint8_t out[CG_ED25519_SIG_BYTES])
{
    struct cg_sign_key *key;

    CG_TRY(cg_sign_key_new(crypto, CG_ALG_ED25519, seed, &key));
    cg_err err = cg_sign(key, no_context, tbs, out);
    cg_sign_key_free(key);
    return err;
}

cg_err cg_sapi_check_session(const struct cg_crypto *crypto,
                             const uint8_t key[CG_ED25519_KEY_BYTES], struct cg_span tbs,
                             struct cg_span signature)
{
    struct cg_span bytes = {key, CG_ED25519_KEY_BYTES};
    struct cg_verify_key *verify;

    CG_TRY(cg_verify_key_new(crypto, CG_ALG_ED25519, bytes, &verify));
    cg_err err = cg_verify(verify, no_context, tbs, signature);
    cg_verify_key_free(verify);
    return err;
}

cg_err cg_sapi_sign_hybrid(const struct cg_signer *identity, struct cg_span tbs,
                           uint8_t out[CG_HSIG_BYTES])
{
    return cg_hsig_sign(identity, CG_HSIG_SAPI_REQUEST, tbs, out);
}

cg_err cg_sapi_check_hybrid(const struct cg_verifier *identity, struct cg_span tbs,
                            struct cg_span signature)
{
    return cg_hsig_verify(identity, CG_HSIG_SAPI_REQUEST, tbs, signature);
}
