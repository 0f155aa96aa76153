/* trust.h: the trust file, the only thing a client or gateway must be told out of band.
 *
 * Lines in the words of C2SP tlog-policy, with ours beside them; an unknown line is an error, since
 * a misspelt one must not silently trust less or more (docs/protocol/trust.md has the grammar):
 *
 *   log <vkey> [<url>]          twice per log: its Ed25519 and its ML-DSA-87 key
 *   witness <name> <vkey> [<url>]
 *   group <name> all|any|<k> <member>...
 *   quorum <name>|none          exactly once
 *   registry <DID> <url>...     directory <DID>     pin <plane/authority> <DID>
 *   max-checkpoint-age <s>      floor sapi|group|padding <value> */
#ifndef CG_LIB_TRUST_TRUST_H
#define CG_LIB_TRUST_TRUST_H
#include "lib/merkle/tlog.h"

#include <httpcg/policy.h>

#define CG_TRUST_MAX_BYTES (1024 * 1024)
#define CG_TRUST_LOGS_MAX 8
#define CG_TRUST_REGISTRIES_MAX 16
#define CG_TRUST_URLS_MAX 8
#define CG_TRUST_DIRECTORIES_MAX 8
#define CG_TRUST_PINS_MAX 1024
#define CG_TRUST_DEFAULT_AGE_S 21600
#define CG_TRUST_MAX_AGE_S 2592000 /* 30 days */
#define CG_PADDING_MAX 3

struct cg_trust_registry {
    struct cg_waddr did;
    size_t n_urls;
    struct cg_span urls[CG_TRUST_URLS_MAX];
};

struct cg_trust_pin {
    struct cg_span name; /* plane/authority */
    struct cg_waddr gateway;
};

/* Read once, then immutable. */
struct cg_trust {
    size_t n_logs;
    struct cg_tlog logs[CG_TRUST_LOGS_MAX];
    struct cg_log_id log_ids[CG_TRUST_LOGS_MAX]; /* the same logs' ids, as cert.h wants them */
    struct cg_span log_urls[CG_TRUST_LOGS_MAX];  /* empty where the file names none */
    struct cg_quorum quorum;
    size_t n_registries;
    struct cg_trust_registry registries[CG_TRUST_REGISTRIES_MAX];
    size_t n_directories;
    struct cg_waddr directories[CG_TRUST_DIRECTORIES_MAX];
    size_t n_pins;
    struct cg_trust_pin *pins; /* in order of their names */
    int64_t max_checkpoint_age_s;
    enum cg_sapi_mode floor_sapi;
    struct cg_span floor_group; /* empty, or the only group there is: X25519MLKEM768 */
    unsigned floor_padding;
    uint8_t *text; /* a copy of the file: what the spans point into */
};

/* Where and why a file was refused. */
struct cg_trust_fault {
    unsigned line; /* from 1; 0: the file as a whole */
    const char *text;
};

/* cg_trust_read parses a trust file.
 * Owns    borrows crypto; text is copied. fault may be NULL; its text is a constant.
 * Errors  CG_CONFIG, with *fault saying where and why; CG_NO_MEMORY, CG_CRYPTO. */
CG_MUST_USE cg_err cg_trust_read(const struct cg_crypto *crypto, struct cg_span text,
                                 struct cg_trust **out, struct cg_trust_fault *fault);
void cg_trust_free(struct cg_trust *trust);

/* cg_trust_log finds a log by its id, cg_trust_registry one by its DID, cg_trust_pin the gateway
 * that a name is pinned to; NULL where there is none. */
const struct cg_tlog *cg_trust_log(const struct cg_trust *trust, const struct cg_log_id *id);
const struct cg_trust_registry *cg_trust_find_registry(const struct cg_trust *trust,
                                                       const struct cg_waddr *did);
const struct cg_waddr *cg_trust_find_pin(const struct cg_trust *trust, struct cg_span plane,
                                         struct cg_span authority);
/* cg_trust_log_write writes the two "log" lines of a log's public keys: what a new operator
 * publishes. */
CG_MUST_USE cg_err cg_trust_log_write(struct cg_span origin, const struct cg_public_keys *keys,
                                      struct cg_writer *out);

#endif
