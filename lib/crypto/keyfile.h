/* keyfile.h: a seed encrypted under a passphrase, as bytes (files are the runtime's).
 *
 *   CBOR {"v":1,"kdf":"argon2id","m","t","p","salt","aead":"A256GCM","nonce","role","hint","ct"}
 *   ct = AES-256-GCM of CBOR {"seed","role","created"}, with the map without "ct" as its AAD */
#ifndef CG_LIB_CRYPTO_KEYFILE_H
#define CG_LIB_CRYPTO_KEYFILE_H
#include "lib/base/buf.h"

#include <httpcg/crypto.h>

#define CG_KEYFILE_MAX_BYTES 1024
#define CG_KEYFILE_ROLE_MAX_BYTES 32
#define CG_KEYFILE_HINT_MAX_BYTES 64
#define CG_KEYFILE_SALT_BYTES 16

/* Costs above these are refused before anything is computed: a key file may come from anywhere. */
#define CG_ARGON2_MAX_KIB (1024 * 1024)
#define CG_ARGON2_MAX_PASSES 10
#define CG_ARGON2_MAX_LANES 4

struct cg_argon2_cost {
    uint32_t m_kib;  /* memory; the default for key files is 262 144 (256 MiB) */
    uint32_t passes; /* default 3 */
    uint32_t lanes;  /* default 1 */
};

#define CG_ARGON2_DEFAULT ((struct cg_argon2_cost){262144, 3, 1})

/* cg_argon2_cost_check refuses costs that nobody should compute.
 * Errors  CG_TOO_LARGE (over a maximum), CG_SCHEMA (under RFC 9106's minimum). */
CG_MUST_USE cg_err cg_argon2_cost_check(struct cg_argon2_cost cost);
/* cg_argon2id stretches a passphrase.
 * Errors  as cg_argon2_cost_check; CG_CRYPTO, also when there is not that much memory.
 * Source  RFC 9106, 3.1 */
CG_MUST_USE cg_err cg_argon2id(const struct cg_crypto *crypto, struct cg_argon2_cost cost,
                               struct cg_span passphrase, struct cg_span salt,
                               struct cg_secret *out);

/* What a key file says before it is opened. Spans point into the file's bytes. */
struct cg_keyfile {
    struct cg_argon2_cost cost;
    struct cg_span salt;
    struct cg_span nonce;
    struct cg_span role; /* "identity", "transport", "log", ... */
    struct cg_span hint; /* the wallet address it belongs to, or empty */
    struct cg_span ct;
};

/* What it holds. */
struct cg_keyfile_content {
    struct cg_secret seed;
    struct cg_wall created;
};

/* cg_keyfile_write encrypts content.seed for a role and appends the file's bytes.
 * Units   salt and nonce are fresh random bytes.
 * Errors  CG_TOO_LARGE (costs, role or hint), CG_CRYPTO, CG_NO_MEMORY; out is then as it was. */
CG_MUST_USE cg_err cg_keyfile_write(const struct cg_crypto *crypto,
                                    const struct cg_keyfile_content *content, struct cg_span role,
                                    struct cg_span hint, struct cg_span passphrase,
                                    struct cg_argon2_cost cost,
                                    const uint8_t salt[static CG_KEYFILE_SALT_BYTES],
                                    const uint8_t nonce[static 12], struct cg_buf *out);
/* cg_keyfile_read parses, and refuses costs over the maxima.
 * Errors  CG_SHORT, CG_EXTRA, CG_SYNTAX, CG_CANONICAL, CG_SCHEMA, CG_VERSION, CG_TOO_LARGE. */
CG_MUST_USE cg_err cg_keyfile_read(struct cg_span file, struct cg_keyfile *out);
/* cg_keyfile_open decrypts; slow by design (a quarter of a second and more).
 * Errors  CG_MISMATCH (the passphrase is another one, or the file was altered), CG_SCHEMA (its
 *         inside is not a key, or of another role than outside), CG_CRYPTO. */
CG_MUST_USE cg_err cg_keyfile_open(const struct cg_crypto *crypto, const struct cg_keyfile *keyfile,
                                   struct cg_span passphrase, struct cg_keyfile_content *out);
void cg_keyfile_content_done(struct cg_keyfile_content *content);

#endif
