#include "tests/support/keys.h"

#include <httpcg/identity.h>
#include <stdio.h>
#include <stdlib.h>

static struct cg_crypto *crypto;
static struct cg_signer *signers[256];
static struct cg_verifier *verifiers[256];

static void must(cg_err err, const char *what)
{
    if (err == CG_OK)
        return;
    fprintf(stderr, "test keys: %s: %s\n", what, cg_err_text(err));
    exit(2);
}

__attribute__((destructor)) static void forget(void)
{
    for (size_t i = 0; i < 256; i++) {
        cg_signer_free(signers[i]);
        cg_verifier_free(verifiers[i]);
    }
    cg_crypto_free(crypto);
}

const struct cg_crypto *cg_test_crypto(void)
{
    if (!crypto)
        must(cg_crypto_new_deterministic(&crypto), "context");
    return crypto;
}

struct cg_secret cg_test_seed(uint8_t first)
{
    struct cg_secret seed;

    for (size_t i = 0; i < sizeof seed.bytes; i++)
        seed.bytes[i] = (uint8_t)(first + i);
    return seed;
}

const struct cg_signer *cg_test_signer(uint8_t first)
{
    struct cg_secret seed = cg_test_seed(first);

    if (!signers[first])
        must(cg_wallet_signer(cg_test_crypto(), &seed, &signers[first]), "signer");
    return signers[first];
}

const struct cg_verifier *cg_test_verifier(uint8_t first)
{
    if (!verifiers[first])
        must(cg_verifier_new(cg_test_crypto(), cg_signer_public(cg_test_signer(first)),
                             &verifiers[first]),
             "verifier");
    return verifiers[first];
}
