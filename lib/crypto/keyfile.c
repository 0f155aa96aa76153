#include "lib/crypto/keyfile.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/aead.h"
#include "lib/wire/cbor.h"

/* Inside: three keys, a seed, a role of at most 32 bytes and a time. */
#define PLAIN_MAX_BYTES 128
#define KDF "argon2id"
#define AEAD "A256GCM"

/* Writes the map, with "ct" where it is not empty; without it these bytes are the AAD. */
static void put_file(struct cg_writer *w, const struct cg_keyfile *file)
{
    cg_cbor_put_map(w, file->ct.len ? 11 : 10);
    cg_cbor_put_key(w, "m");
    cg_cbor_put_uint(w, file->cost.m_kib);
    cg_cbor_put_key(w, "p");
    cg_cbor_put_uint(w, file->cost.lanes);
    cg_cbor_put_key(w, "t");
    cg_cbor_put_uint(w, file->cost.passes);
    cg_cbor_put_key(w, "v");
    cg_cbor_put_uint(w, 1);
    if (file->ct.len) {
        cg_cbor_put_key(w, "ct");
        cg_cbor_put_bytes(w, file->ct);
    }
    cg_cbor_put_key(w, "kdf");
    cg_cbor_put_text(w, CG_LIT(KDF));
    cg_cbor_put_key(w, "aead");
    cg_cbor_put_text(w, CG_LIT(AEAD));
    cg_cbor_put_key(w, "hint");
    cg_cbor_put_text(w, file->hint);
    cg_cbor_put_key(w, "role");
    cg_cbor_put_text(w, file->role);
    cg_cbor_put_key(w, "salt");
    cg_cbor_put_bytes(w, file->salt);
    cg_cbor_put_key(w, "nonce");
    cg_cbor_put_bytes(w, file->nonce);
}

static cg_err write_aad(const struct cg_keyfile *file, uint8_t *at, size_t room,
                        struct cg_span *out)
{
    struct cg_keyfile bare = *file;
    struct cg_writer w = cg_writer_fixed(at, room);

    bare.ct.len = 0;
    put_file(&w, &bare);
    *out = cg_writer_span(&w);
    return cg_writer_end(&w);
}

static cg_err seal(const struct cg_crypto *crypto, const struct cg_keyfile_content *content,
                   const struct cg_keyfile *file, struct cg_span passphrase, uint8_t *sealed,
                   size_t *out_len)
{
    uint8_t aad_bytes[CG_KEYFILE_MAX_BYTES], plain[PLAIN_MAX_BYTES];
    struct cg_span aad;
    CG_AUTO(secret) struct cg_secret key;

    CG_TRY(write_aad(file, aad_bytes, sizeof aad_bytes, &aad));
    CG_TRY(cg_argon2id(crypto, file->cost, passphrase, file->salt, &key));

    struct cg_writer w = cg_writer_fixed(plain, sizeof plain);
    cg_cbor_put_map(&w, 3);
    cg_cbor_put_key(&w, "role");
    cg_cbor_put_text(&w, file->role);
    cg_cbor_put_key(&w, "seed");
    cg_cbor_put_bytes(&w, CG_BYTES(content->seed.bytes));
    cg_cbor_put_key(&w, "created");
    cg_cbor_put_uint(&w, (uint64_t)content->created.s);
    cg_err err = cg_writer_end(&w);
    if (err == CG_OK)
        err = cg_aead_seal(crypto, &key, file->nonce.at, aad, cg_writer_span(&w), sealed);
    *out_len = w.len + CG_AEAD_TAG_BYTES;
    cg_wipe(plain, sizeof plain);
    return err;
}

cg_err cg_keyfile_write(const struct cg_crypto *crypto, const struct cg_keyfile_content *content,
                        struct cg_span role, struct cg_span hint, struct cg_span passphrase,
                        struct cg_argon2_cost cost,
                        const uint8_t salt[static CG_KEYFILE_SALT_BYTES],
                        const uint8_t nonce[static CG_AEAD_NONCE_BYTES], struct cg_buf *out)
{
    struct cg_keyfile file = {
        .cost = cost,
        .salt = cg_span_of(salt, CG_KEYFILE_SALT_BYTES),
        .nonce = cg_span_of(nonce, CG_AEAD_NONCE_BYTES),
        .role = role,
        .hint = hint,
    };
    uint8_t sealed[PLAIN_MAX_BYTES + CG_AEAD_TAG_BYTES];
    size_t before = out->len, len;

    if (role.len > CG_KEYFILE_ROLE_MAX_BYTES || hint.len > CG_KEYFILE_HINT_MAX_BYTES)
        return CG_TOO_LARGE;
    if (content->created.s < 0)
        return CG_SCHEMA;
    CG_TRY(seal(crypto, content, &file, passphrase, sealed, &len));
    file.ct = cg_span_of(sealed, len);

    struct cg_writer w = cg_writer_into(out);
    put_file(&w, &file);
    cg_err err = cg_writer_end(&w);
    if (err != CG_OK)
        out->len = before;
    return err;
}

/* A cost as it stands in the file; numbers that do not fit are over their maximum anyway. */
static uint32_t take_cost(struct cg_cbor *r)
{
    uint64_t v = cg_cbor_uint(r);

    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void take_name(struct cg_cbor *r, const char *key, const char *want)
{
    cg_cbor_key(r, key);
    if (!cg_span_is(cg_cbor_text(r, 16), want))
        cg_cbor_fail(r, CG_SCHEMA);
}

cg_err cg_keyfile_read(struct cg_span wire, struct cg_keyfile *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_keyfile got = {0};

    if (wire.len > CG_KEYFILE_MAX_BYTES)
        return CG_TOO_LARGE;
    cg_cbor_map(&r, 11, 11);
    cg_cbor_key(&r, "m");
    got.cost.m_kib = take_cost(&r);
    cg_cbor_key(&r, "p");
    got.cost.lanes = take_cost(&r);
    cg_cbor_key(&r, "t");
    got.cost.passes = take_cost(&r);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != 1)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "ct");
    got.ct = cg_cbor_bytes(&r, PLAIN_MAX_BYTES + CG_AEAD_TAG_BYTES);
    take_name(&r, "kdf", KDF);
    take_name(&r, "aead", AEAD);
    cg_cbor_key(&r, "hint");
    got.hint = cg_cbor_text(&r, CG_KEYFILE_HINT_MAX_BYTES);
    cg_cbor_key(&r, "role");
    got.role = cg_cbor_text(&r, CG_KEYFILE_ROLE_MAX_BYTES);
    cg_cbor_key(&r, "salt");
    got.salt = cg_span_of(cg_cbor_bytes_n(&r, CG_KEYFILE_SALT_BYTES), CG_KEYFILE_SALT_BYTES);
    cg_cbor_key(&r, "nonce");
    got.nonce = cg_span_of(cg_cbor_bytes_n(&r, CG_AEAD_NONCE_BYTES), CG_AEAD_NONCE_BYTES);
    CG_TRY(cg_cbor_end(&r));
    CG_TRY(cg_argon2_cost_check(got.cost));
    *out = got;
    return CG_OK;
}

static cg_err read_plain(struct cg_span plain, struct cg_span role, struct cg_keyfile_content *out)
{
    struct cg_cbor r = cg_cbor_of(plain);

    cg_cbor_map(&r, 3, 3);
    cg_cbor_key(&r, "role");
    bool same_role = cg_span_eq(cg_cbor_text(&r, CG_KEYFILE_ROLE_MAX_BYTES), role);
    cg_cbor_key(&r, "seed");
    const uint8_t *seed = cg_cbor_bytes_n(&r, sizeof out->seed.bytes);
    cg_cbor_key(&r, "created");
    uint64_t created = cg_cbor_uint(&r);
    if (!same_role || created > INT64_MAX)
        cg_cbor_fail(&r, CG_SCHEMA);
    CG_TRY(cg_cbor_end(&r));
    memcpy(out->seed.bytes, seed, sizeof out->seed.bytes);
    out->created.s = (int64_t)created;
    return CG_OK;
}

cg_err cg_keyfile_open(const struct cg_crypto *crypto, const struct cg_keyfile *file,
                       struct cg_span passphrase, struct cg_keyfile_content *out)
{
    uint8_t aad_bytes[CG_KEYFILE_MAX_BYTES], plain[PLAIN_MAX_BYTES + CG_AEAD_TAG_BYTES];
    struct cg_span aad;
    CG_AUTO(secret) struct cg_secret key;

    CG_TRY(write_aad(file, aad_bytes, sizeof aad_bytes, &aad));
    CG_TRY(cg_argon2id(crypto, file->cost, passphrase, file->salt, &key));
    CG_TRY(cg_aead_open(crypto, &key, file->nonce.at, aad, file->ct, plain));
    /* Only whoever knows the passphrase can have written what does not parse here. */
    cg_err err = read_plain(cg_span_of(plain, file->ct.len - CG_AEAD_TAG_BYTES), file->role, out);
    cg_wipe(plain, sizeof plain);
    return err == CG_OK ? CG_OK : CG_SCHEMA;
}

void cg_keyfile_content_done(struct cg_keyfile_content *content)
{
    cg_secret_done(&content->seed);
}
