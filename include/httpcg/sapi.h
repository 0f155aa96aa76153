/* sapi.h: signed requests and signed responses.
 *
 * A SAPI header says which wallet asks, and signs what it asks: channel, minute, method, URL, the
 * header fields that change a request's meaning, and the body's digest.  There are three modes, all
 * under one grant, which the wallet's hybrid identity keys signed for this connection: a MAC that
 * only the connection's two ends can make, an Ed25519 session key named in the grant, or the
 * identity keys themselves.  The answer is signed back over the request's signed bytes.
 *
 * No clock, no randomness and no socket here; spans are borrowed. */
#ifndef CG_SAPI_H
#define CG_SAPI_H
#include <httpcg/identity.h>
#include <httpcg/mode.h>
#include <httpcg/qlock.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cg_sapi_signature_bytes tells how long a request's signature is in that mode. */
CG_API size_t cg_sapi_signature_bytes(enum cg_sapi_mode mode);

/* How a message's content is covered. The numbers are those that are signed. */
enum cg_body_mode {
    CG_BODY_NONE = 0,    /* there is none */
    CG_BODY_DIGEST = 1,  /* Content-Digest came with the head */
    CG_BODY_TRAILER = 2, /* it comes behind the body */
};

#define CG_NONCE_BYTES 16
#define CG_NONCE_PREFIX_BYTES 8

/* A nonce names the grant (by the first 8 bytes of its hash) and counts from 1. */
struct cg_nonce {
    uint8_t bytes[CG_NONCE_BYTES];
};

CG_API void cg_nonce_make(const struct cg_hash *grant_hash, uint64_t counter, struct cg_nonce *out);
CG_API uint64_t cg_nonce_counter(const struct cg_nonce *nonce);
CG_API bool cg_nonce_is_of(const struct cg_nonce *nonce, const struct cg_hash *grant_hash);

/* --- requests --- */

/* A SAPI header. */
struct cg_sapi {
    struct cg_waddr wallet;
    uint64_t timestamp; /* Unix seconds */
    struct cg_nonce nonce;
    enum cg_sapi_mode mode;
    struct cg_span signature; /* hex, of the mode's length, checked to be lower-case hex */
};

/* cg_sapi_read parses a header's value. known is an address whose checksum was verified before,
 * which saves verifying it for every request; NULL: there is none.
 * Owns    out->signature borrows from value.
 * Errors  CG_TOO_LARGE (over 10 240 bytes), CG_SYNTAX, CG_SHORT, CG_EXTRA, CG_SCHEMA, CG_CANONICAL,
 *         CG_UNKNOWN (mode), CG_VERSION, CG_MISMATCH (address checksum): all mean malformed. */
CG_API CG_MUST_USE cg_err cg_sapi_read(struct cg_span value, const struct cg_waddr *known,
                                       struct cg_sapi *out);
/* cg_sapi_chars tells how long the value written by cg_sapi_write is. */
CG_API size_t cg_sapi_chars(const struct cg_sapi *sapi);
/* cg_sapi_write writes the value, without NUL; signature is given raw, not hex. */
CG_API void cg_sapi_write(const struct cg_sapi *sapi, struct cg_span signature, char *out);

/* The header fields that a request's signature covers, in the order they are signed. */
enum cg_covered {
    CG_COVERED_CONTENT_TYPE,
    CG_COVERED_CONTENT_ENCODING,
    CG_COVERED_RANGE,
    CG_COVERED_IF_MATCH,
    CG_COVERED_IF_NONE_MATCH,
    CG_COVERED_IDEMPOTENCY_KEY,
    CG_COVERED_AUTHORIZATION,
    CG_COVERED_COOKIE, /* all lines, joined by "; " */
    CG_COVERED_IF_RANGE,
    CG_COVERED_COUNT
};

/* cg_covered_name gives the field's lower-case name. */
CG_API const char *cg_covered_name(enum cg_covered field);

/* cg_sapi_fields_digest hashes the covered fields; at == NULL means absent, which is not the same
 * as empty. Values are without white space around them. */
CG_API CG_MUST_USE cg_err cg_sapi_fields_digest(struct cg_kit *kit,
                                                const struct cg_span fields[CG_COVERED_COUNT],
                                                struct cg_hash *out);

/* Everything that a request's signature covers. */
struct cg_sapi_parts {
    const struct cg_sapi *sapi;        /* its signature is not looked at */
    const struct cg_qlock *qlock;      /* as in the header, verified */
    const struct cg_hash *fingerprint; /* TLSLS, the connection's */
    struct cg_span method;
    const struct cg_url *url;
    enum cg_body_mode body_mode;
    struct cg_hash content_digest; /* CG_BODY_DIGEST only */
    struct cg_hash fields_digest;
};

/* cg_sapi_tbs_bytes tells how long the bytes to be signed are. */
CG_API size_t cg_sapi_tbs_bytes(const struct cg_sapi_parts *parts);
/* cg_sapi_tbs writes them into out, which holds cg_sapi_tbs_bytes.
 * Source  docs/protocol/sapi.md, "What is signed" */
CG_API CG_MUST_USE cg_err cg_sapi_tbs(const struct cg_sapi_parts *parts, uint8_t *out);

/* cg_sapi_mac makes the signature of mode grant over any to-be-signed bytes (a request's, its
 * trailer's; with the server's key a response's). */
CG_API CG_MUST_USE cg_err cg_sapi_mac(struct cg_kit *kit, const struct cg_secret *key,
                                      struct cg_span tbs, struct cg_hash *out);
/* cg_sapi_check_mac verifies one, in constant time. Errors CG_SIGNATURE, CG_CRYPTO. */
CG_API CG_MUST_USE cg_err cg_sapi_check_mac(struct cg_kit *kit, const struct cg_secret *key,
                                            struct cg_span tbs, struct cg_span signature);
/* cg_sapi_sign_session makes the signature of mode ed25519 with a session key's 32-byte seed. */
CG_API CG_MUST_USE cg_err cg_sapi_sign_session(const struct cg_crypto *crypto,
                                               const struct cg_secret *seed, struct cg_span tbs,
                                               uint8_t out[CG_ED25519_SIG_BYTES]);
CG_API CG_MUST_USE cg_err cg_sapi_check_session(const struct cg_crypto *crypto,
                                                const uint8_t key[CG_ED25519_KEY_BYTES],
                                                struct cg_span tbs, struct cg_span signature);
/* cg_sapi_sign_hybrid makes the signature of mode hybrid: 1.6 ms. */
CG_API CG_MUST_USE cg_err cg_sapi_sign_hybrid(const struct cg_signer *identity, struct cg_span tbs,
                                              uint8_t out[CG_HSIG_BYTES]);
CG_API CG_MUST_USE cg_err cg_sapi_check_hybrid(const struct cg_verifier *identity,
                                               struct cg_span tbs, struct cg_span signature);

/* A SAPI-Trailer: what a request of CG_BODY_TRAILER sends behind its body. */
struct cg_sapi_trailer {
    struct cg_hash digest;
    struct cg_span signature; /* hex, checked as in cg_sapi_read */
};

/* TUP("httpcg-sapi-trailer/v1"; H(tbs), digest): label, count, and two fields of 32 bytes. */
#define CG_SAPI_TRAILER_TBS_BYTES (4 + 22 + 1 + 2 * (4 + CG_HASH_BYTES))

/* cg_sapi_trailer_read parses a value in the mode of the request's header; errors as cg_sapi_read.
 */
CG_API CG_MUST_USE cg_err cg_sapi_trailer_read(struct cg_span value, enum cg_sapi_mode mode,
                                               struct cg_sapi_trailer *out);
CG_API size_t cg_sapi_trailer_chars(enum cg_sapi_mode mode);
CG_API void cg_sapi_trailer_write(const struct cg_hash *digest, struct cg_span signature,
                                  char *out);
CG_API CG_MUST_USE cg_err cg_sapi_trailer_tbs(const struct cg_hash *tbs_hash,
                                              const struct cg_hash *digest,
                                              uint8_t out[CG_SAPI_TRAILER_TBS_BYTES]);

/* --- responses --- */

/* The header fields that a response's signature covers, in the order they are signed. */
enum cg_response_covered {
    CG_RESPONSE_CONTENT_TYPE,
    CG_RESPONSE_CONTENT_ENCODING,
    CG_RESPONSE_CONTENT_RANGE,
    CG_RESPONSE_LOCATION,
    CG_RESPONSE_ETAG,
    CG_RESPONSE_CACHE_CONTROL,
    CG_RESPONSE_SET_COOKIE, /* every line, as a list */
    CG_RESPONSE_LAST_MODIFIED,
    CG_RESPONSE_CONTENT_DISPOSITION,
    CG_RESPONSE_COVERED_COUNT
};

CG_API const char *cg_response_covered_name(enum cg_response_covered field);

/* at == NULL means absent; fields[CG_RESPONSE_SET_COOKIE] is not looked at. */
struct cg_response_fields {
    struct cg_span fields[CG_RESPONSE_COVERED_COUNT];
    const struct cg_span *set_cookies;
    size_t n_set_cookies;
};

CG_API CG_MUST_USE cg_err cg_response_fields_digest(struct cg_kit *kit,
                                                    const struct cg_response_fields *fields,
                                                    struct cg_hash *out);
/* cg_response_trailers_digest hashes the trailer fields that came from the backend, in their order,
 * names in lower case; Content-Digest and SAPI-Response are not among them. */
CG_API CG_MUST_USE cg_err cg_response_trailers_digest(struct cg_kit *kit,
                                                      const struct cg_span *names,
                                                      const struct cg_span *values, size_t n,
                                                      struct cg_hash *out);

/* Everything that a response's signature covers. */
struct cg_response_parts {
    enum cg_sapi_mode mode;         /* GRANT or HYBRID */
    const struct cg_hash *tbs_hash; /* H of the request's to-be-signed bytes */
    uint64_t timestamp;
    uint16_t status;
    enum cg_body_mode body_mode;
    struct cg_hash content_digest; /* not for CG_BODY_NONE */
    struct cg_hash fields_digest;
    struct cg_hash trailers_digest; /* CG_BODY_TRAILER only */
};

/* TUP("httpcg-sapi-resp/v1"; …) with all eight fields. */
#define CG_RESPONSE_TBS_MAX_BYTES (4 + 19 + 1 + 8 * 4 + 1 + 32 + 8 + 2 + 1 + 32 + 32 + 32)

/* cg_response_tbs writes the bytes to be signed and tells how many. */
CG_API CG_MUST_USE cg_err cg_response_tbs(const struct cg_response_parts *parts,
                                          uint8_t out[CG_RESPONSE_TBS_MAX_BYTES], size_t *out_len);

/* A SAPI-Response. */
struct cg_response {
    enum cg_sapi_mode mode; /* GRANT or HYBRID */
    uint64_t timestamp;
    struct cg_nonce nonce;    /* the request's */
    struct cg_span signature; /* hex: a MAC's 32 bytes, or an HSIG-B's CBOR */
};

/* cg_response_read parses a value; errors as cg_sapi_read, limit 20 480 bytes. */
CG_API CG_MUST_USE cg_err cg_response_read(struct cg_span value, struct cg_response *out);
/* cg_response_chars tells how long the value is whose signature has so many raw bytes. */
CG_API size_t cg_response_chars(const struct cg_response *response, size_t signature_len);
/* cg_response_write writes the value, without NUL; signature is given raw, not hex. */
CG_API void cg_response_write(const struct cg_response *response, struct cg_span signature,
                              char *out);
/* cg_response_check_batch verifies mode hybrid: an HSIG-B by the gateway's transport keys.
 * Errors  CG_SIGNATURE, CG_PROOF, and those of a malformed HSIG-B. */
CG_API CG_MUST_USE cg_err cg_response_check_batch(const struct cg_verifier *transport,
                                                  struct cg_span tbs, struct cg_span signature);

#ifdef __cplusplus
}
#endif
#endif
