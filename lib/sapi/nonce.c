#include <httpcg/sapi.h>
#include <string.h>

void cg_nonce_make(const struct cg_hash *grant_hash, uint64_t counter, struct cg_nonce *out)
{
    memcpy(out->bytes, grant_hash->bytes, CG_NONCE_PREFIX_BYTES);
    for (size_t i = CG_NONCE_BYTES; i-- > CG_NONCE_PREFIX_BYTES; counter >>= 8)
        out->bytes[i] = (uint8_t)counter;
}

uint64_t cg_nonce_counter(const struct cg_nonce *nonce)
{
    uint64_t counter = 0;

    for (size_t i = CG_NONCE_PREFIX_BYTES; i < CG_NONCE_BYTES; i++)
        counter = counter << 8 | nonce->bytes[i];
    return counter;
}

bool cg_nonce_is_of(const struct cg_nonce *nonce, const struct cg_hash *grant_hash)
{
    return memcmp(nonce->bytes, grant_hash->bytes, CG_NONCE_PREFIX_BYTES) == 0;
}
