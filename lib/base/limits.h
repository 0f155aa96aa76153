/* limits.h: everything a peer may make us hold, in one place, with the reason. */
#ifndef CG_LIB_BASE_LIMITS_H
#define CG_LIB_BASE_LIMITS_H

/* Header values (docs/protocol/connection.md, "HTTP"): a hybrid SAPI is 9 555 bytes. */
#define CG_QLOCK_MAX_BYTES 512
#define CG_SAPI_MAX_BYTES 10240
#define CG_SAPI_RESPONSE_MAX_BYTES 20480
#define CG_HEADER_LIST_MAX_BYTES (32 * 1024)

/* URLs (docs/protocol/url.md). */
#define CG_URI_MAX_BYTES (12 * 1024)
#define CG_PATH_MAX_BYTES 4096
#define CG_QUERY_MAX_BYTES 8192
#define CG_AUTHORITY_MAX_BYTES 253

/* Documents: a certificate with its wallet document and staple is about 20 kB. */
#define CG_DOCUMENT_MAX_BYTES (96 * 1024)
#define CG_RESOLVE_MAX_BYTES (256 * 1024)
#define CG_ENTRY_MAX_BYTES 1024
#define CG_DIDOPS_MAX 8
/* A role credential: 5.2 kB, of which 4.7 are its signatures; four of them travel in a grant. */
#define CG_CRED_MAX_BYTES (8 * 1024)

/* Nesting: deeper input is refused before it can cost stack. */
#define CG_CBOR_MAX_DEPTH 6
#define CG_JSON_MAX_DEPTH 4

/* Integers in JSON: the largest that every reader keeps exact (RFC 8259, 6). */
#define CG_JSON_MAX_INT ((UINT64_C(1) << 53) - 1)

#endif
