/* identity.h: wallets, their addresses, and how a DID's keys change.
 *
 * A wallet generation is one random seed S, from which both identity keys come.  Its address is a
 * hash over both public keys and over the hash of the *next* generation's keys, so the address
 * proves the keys without any authority, and whoever steals S still cannot rotate the address away:
 * that takes the seed R, which is kept apart.
 *
 * A DID's present keys are those of its newest operation.  On the wire a "wallet_doc" is the
 * inception document alone, or an array of it and up to eight operations; cg_did_check follows it.
 * Whether the last operation is the newest one there is, only the ledger can tell. */
#ifndef CG_IDENTITY_H
#define CG_IDENTITY_H
#include <httpcg/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CG_WADDR_CHARS 56
#define CG_DID_CHARS (8 + CG_WADDR_CHARS)
#define CG_WALLET_DOC_BYTES 2688

/* A wallet address whose checksum was verified; text ends in NUL. */
struct cg_waddr {
    char text[CG_WADDR_CHARS + 1];
};

/* What a DID began with. */
struct cg_wallet_doc {
    struct cg_public_keys keys;
    struct cg_hash next; /* cg_next_hash of the next keys; all zero: none, it can only be burned */
};

/* cg_waddr_read takes 56 base32 characters.
 * Errors  CG_SHORT, CG_EXTRA, CG_SYNTAX, CG_CANONICAL, CG_VERSION, CG_MISMATCH (checksum). */
CG_API CG_MUST_USE cg_err cg_waddr_read(struct cg_span text, struct cg_waddr *out);
CG_API bool cg_waddr_eq(const struct cg_waddr *a, const struct cg_waddr *b);
/* cg_did_read takes "did:bpi:" and an address; errors as cg_waddr_read. */
CG_API CG_MUST_USE cg_err cg_did_read(struct cg_span text, struct cg_waddr *out);
/* cg_did_write writes the DID and a NUL. */
CG_API void cg_did_write(const struct cg_waddr *waddr, char out[CG_DID_CHARS + 1]);

/* cg_next_hash commits to the keys of the next generation. */
CG_API CG_MUST_USE cg_err cg_next_hash(const struct cg_public_keys *keys, struct cg_hash *out);
/* cg_wallet_doc_address computes the address that a document proves. */
CG_API CG_MUST_USE cg_err cg_wallet_doc_address(const struct cg_wallet_doc *doc,
                                                struct cg_waddr *out);
/* cg_wallet_doc_write writes the deterministic CBOR. */
CG_API void cg_wallet_doc_write(const struct cg_wallet_doc *doc, uint8_t out[CG_WALLET_DOC_BYTES]);
/* cg_wallet_doc_read parses it; keys are not checked yet.
 * Errors  CG_SHORT, CG_EXTRA, CG_SCHEMA, CG_CANONICAL, CG_VERSION. */
CG_API CG_MUST_USE cg_err cg_wallet_doc_read(struct cg_span wire, struct cg_wallet_doc *out);

/* cg_wallet_seeds derives both keys' seeds from a generation's seed (any role's, not only
 * wallets'). Errors  CG_CRYPTO; out is then wiped. */
CG_API CG_MUST_USE cg_err cg_wallet_seeds(const struct cg_secret *seed, struct cg_seeds *out);
/* cg_wallet_signer is cg_wallet_seeds and cg_signer_new. */
CG_API CG_MUST_USE cg_err cg_wallet_signer(const struct cg_crypto *crypto,
                                           const struct cg_secret *seed, struct cg_signer **out);
/* cg_wallet_next computes what the next generation's seed R commits to. */
CG_API CG_MUST_USE cg_err cg_wallet_next(const struct cg_crypto *crypto,
                                         const struct cg_secret *next_seed, struct cg_hash *out);
/* cg_wallet_doc_make makes the inception document of a signer's keys and a next commitment. */
CG_API void cg_wallet_doc_make(const struct cg_signer *signer, const struct cg_hash *next,
                               struct cg_wallet_doc *out);

/* Where a DID stands after the operations that were followed. */
struct cg_did_state {
    struct cg_waddr waddr;
    struct cg_public_keys keys;
    struct cg_hash next;
    struct cg_hash newest; /* H(newest operation's payload), or H(inception document): what the
                              ledger's state map must hold if this is the newest */
    uint64_t seq;          /* operations so far */
    bool is_deactivated;   /* its keys prove nothing any more */
};

#define CG_DIDOP_MAX_BYTES 8192

enum cg_didop_kind {
    CG_DIDOP_ROTATE,
    CG_DIDOP_DEACTIVATE,
};

/* cg_did_begin takes an inception document. Errors as cg_wallet_doc_read, and CG_KEY. */
CG_API CG_MUST_USE cg_err cg_did_begin(struct cg_span wallet_doc, struct cg_did_state *out);
/* cg_did_apply follows one operation (a COSE document) from one state to the next; before and out
 * may be the same.
 * Errors  CG_PROOF (not the next link, or not by the keys committed to), CG_REVOKED (deactivated
 *         before), CG_KEY, CG_SIGNATURE, and those of a document that is malformed. */
CG_API CG_MUST_USE cg_err cg_did_apply(const struct cg_crypto *crypto,
                                       const struct cg_did_state *before, struct cg_span didop,
                                       struct cg_did_state *out);
/* cg_did_check follows a whole wallet_doc and compares its address with the one expected.
 * Deactivated DIDs are told by the state, not by an error.
 * Errors  as cg_did_apply, and CG_MISMATCH (another address), CG_TOO_LARGE. */
CG_API CG_MUST_USE cg_err cg_did_check(const struct cg_crypto *crypto, struct cg_span wallet_doc,
                                       const struct cg_waddr *expected, struct cg_did_state *out);

#ifdef __cplusplus
}
#endif
#endif
