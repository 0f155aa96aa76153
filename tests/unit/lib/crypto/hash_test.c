#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/crypto/hash.h"

/* FIPS 180-4's examples. */
#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA512_ABC                                                                                 \
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                             \
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

TEST(hashes_the_standards_examples)
{
    struct cg_hash got;
    uint8_t long_one[CG_SHA512_BYTES];

    CHECK_OK(cg_sha256(CG_LIT("abc"), &got));
    CHECK_SPAN(cg_hash_span(&got), cg_unhex(SHA256_ABC));
    CHECK_OK(cg_sha256((struct cg_span){NULL, 0}, &got));
    CHECK_SPAN(cg_hash_span(&got), cg_unhex(SHA256_EMPTY));
    CHECK_OK(cg_sha512(CG_LIT("abc"), long_one));
    CHECK_SPAN(CG_BYTES(long_one), cg_unhex(SHA512_ABC));
}

TEST(pieces_hash_as_the_whole)
{
    struct cg_hash got;

    CHECK_OK(cg_sha256_2(CG_LIT("a"), CG_LIT("bc"), &got));
    CHECK_SPAN(cg_hash_span(&got), cg_unhex(SHA256_ABC));
    CHECK_OK(cg_sha256_3(CG_LIT("a"), CG_LIT(""), CG_LIT("bc"), &got));
    CHECK_SPAN(cg_hash_span(&got), cg_unhex(SHA256_ABC));
}

TEST(a_hasher_is_used_again_and_forgets_what_was_in_progress)
{
    struct cg_hasher *hasher = NULL;
    struct cg_hash got;

    CHECK_OK(cg_hasher_new(&hasher));
    CHECK_OR_STOP(hasher != NULL);
    CHECK_OK(cg_hasher_begin(hasher));
    CHECK_OK(cg_hasher_add(hasher, CG_LIT("left over")));
    CHECK_OK(cg_hasher_begin(hasher));
    CHECK_OK(cg_hasher_add(hasher, CG_LIT("ab")));
    CHECK_OK(cg_hasher_add(hasher, (struct cg_span){NULL, 0}));
    CHECK_OK(cg_hasher_add(hasher, CG_LIT("c")));
    CHECK_OK(cg_hasher_end(hasher, &got));
    CHECK_SPAN(cg_hash_span(&got), cg_unhex(SHA256_ABC));
    CHECK_OK(cg_hasher_whole(hasher, CG_LIT(""), &got));
    CHECK_SPAN(cg_hash_span(&got), cg_unhex(SHA256_EMPTY));
    cg_hasher_free(hasher);
    cg_hasher_free(NULL);
}

SUITE(hash, T(hashes_the_standards_examples), T(pieces_hash_as_the_whole),
      T(a_hasher_is_used_again_and_forgets_what_was_in_progress))
