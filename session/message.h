/* message.h: the head of a request or a response, as both HTTP versions understand it.
 *
 * Names the project treats specially become small integers once, at parse; from then on nobody
 * compares strings.  All bytes live in the arena given at the start (for what came in: the
 * exchange's), names are always lower case, and a field that could break a line cannot get in:
 * cg_head_add checks, whoever made the bytes. */
#ifndef CG_SESSION_MESSAGE_H
#define CG_SESSION_MESSAGE_H
#include <httpcg/err.h>

#include "lib/base/arena.h"

/* More fields than this in one head, or in one trailer section, are refused. */
#define CG_HEAD_MAX_FIELDS 256

/* What is special about a name, whatever its value. */
#define CG_NAME_HOP 1u    /* hop-by-hop: never forwarded (RFC 9110, 7.6.1) */
#define CG_NAME_SECRET 2u /* HPACK never-index (RFC 7541, 7.1.3) */

/* The one list of names. The last four stand for whole families: see cg_token_of. */
/* clang-format off */
#define CG_TOKEN_LIST(X)                                                                           \
    X(ACCEPT, "accept", 0)                                                                         \
    X(ACCEPT_ENCODING, "accept-encoding", 0)                                                       \
    X(ACCEPT_LANGUAGE, "accept-language", 0)                                                       \
    X(ACCEPT_RANGES, "accept-ranges", 0)                                                           \
    X(AGE, "age", 0)                                                                               \
    X(ALLOW, "allow", 0)                                                                           \
    X(ALT_SVC, "alt-svc", 0)                                                                       \
    X(AUTHORIZATION, "authorization", CG_NAME_SECRET)                                              \
    X(CACHE_CONTROL, "cache-control", 0)                                                           \
    X(CONNECTION, "connection", CG_NAME_HOP)                                                       \
    X(CONTENT_DIGEST, "content-digest", 0)                                                         \
    X(CONTENT_DISPOSITION, "content-disposition", 0)                                               \
    X(CONTENT_ENCODING, "content-encoding", 0)                                                     \
    X(CONTENT_LANGUAGE, "content-language", 0)                                                     \
    X(CONTENT_LENGTH, "content-length", 0)                                                         \
    X(CONTENT_LOCATION, "content-location", 0)                                                     \
    X(CONTENT_RANGE, "content-range", 0)                                                           \
    X(CONTENT_TYPE, "content-type", 0)                                                             \
    X(COOKIE, "cookie", CG_NAME_SECRET)                                                            \
    X(DATE, "date", 0)                                                                             \
    X(ETAG, "etag", 0)                                                                             \
    X(EXPECT, "expect", 0)                                                                         \
    X(EXPIRES, "expires", 0)                                                                       \
    X(FORWARDED, "forwarded", 0)                                                                   \
    X(GRPC_STATUS, "grpc-status", 0)                                                               \
    X(HOST, "host", 0)                                                                             \
    X(HTTP2_SETTINGS, "http2-settings", CG_NAME_HOP)                                               \
    X(IDEMPOTENCY_KEY, "idempotency-key", 0)                                                       \
    X(IF_MATCH, "if-match", 0)                                                                     \
    X(IF_MODIFIED_SINCE, "if-modified-since", 0)                                                   \
    X(IF_NONE_MATCH, "if-none-match", 0)                                                           \
    X(IF_RANGE, "if-range", 0)                                                                     \
    X(IF_UNMODIFIED_SINCE, "if-unmodified-since", 0)                                               \
    X(KEEP_ALIVE, "keep-alive", CG_NAME_HOP)                                                       \
    X(LAST_MODIFIED, "last-modified", 0)                                                           \
    X(LOCATION, "location", 0)                                                                     \
    X(MAX_FORWARDS, "max-forwards", 0)                                                             \
    X(ORIGIN, "origin", 0)                                                                         \
    X(PRAGMA, "pragma", 0)                                                                         \
    X(PRIORITY, "priority", 0)                                                                     \
    X(PROXY_AUTHENTICATE, "proxy-authenticate", CG_NAME_HOP)                                       \
    X(PROXY_AUTHORIZATION, "proxy-authorization", CG_NAME_HOP | CG_NAME_SECRET)                    \
    X(PROXY_CONNECTION, "proxy-connection", CG_NAME_HOP)                                           \
    X(QLOCK, "qlock", 0)                                                                           \
    X(RANGE, "range", 0)                                                                           \
    X(REFERER, "referer", 0)                                                                       \
    X(RETRY_AFTER, "retry-after", 0)                                                               \
    X(SAPI, "sapi", CG_NAME_SECRET)                                                                \
    X(SAPI_RESPONSE, "sapi-response", CG_NAME_SECRET)                                              \
    X(SAPI_TRAILER, "sapi-trailer", CG_NAME_SECRET)                                                \
    X(SEC_FETCH_DEST, "sec-fetch-dest", 0)                                                         \
    X(SEC_FETCH_MODE, "sec-fetch-mode", 0)                                                         \
    X(SEC_FETCH_SITE, "sec-fetch-site", 0)                                                         \
    X(SEC_WEBSOCKET_ACCEPT, "sec-websocket-accept", 0)                                             \
    X(SEC_WEBSOCKET_EXTENSIONS, "sec-websocket-extensions", 0)                                     \
    X(SEC_WEBSOCKET_KEY, "sec-websocket-key", 0)                                                   \
    X(SEC_WEBSOCKET_PROTOCOL, "sec-websocket-protocol", 0)                                         \
    X(SEC_WEBSOCKET_VERSION, "sec-websocket-version", 0)                                           \
    X(SERVER, "server", 0)                                                                         \
    X(SET_COOKIE, "set-cookie", CG_NAME_SECRET)                                                    \
    X(SIGNATURE, "signature", 0)                                                                   \
    X(SIGNATURE_INPUT, "signature-input", 0)                                                       \
    X(STRICT_TRANSPORT_SECURITY, "strict-transport-security", 0)                                   \
    X(TE, "te", CG_NAME_HOP)                                                                       \
    X(TRACEPARENT, "traceparent", 0)                                                               \
    X(TRAILER, "trailer", 0)                                                                       \
    X(TRANSFER_ENCODING, "transfer-encoding", CG_NAME_HOP)                                         \
    X(UPGRADE, "upgrade", CG_NAME_HOP)                                                             \
    X(USER_AGENT, "user-agent", 0)                                                                 \
    X(VARY, "vary", 0)                                                                             \
    X(VIA, "via", 0)                                                                               \
    X(WWW_AUTHENTICATE, "www-authenticate", 0)                                                     \
    X(X_HTTP_METHOD, "x-http-method", 0)                                                           \
    X(X_HTTP_METHOD_OVERRIDE, "x-http-method-override", 0)                                         \
    X(X_METHOD_OVERRIDE, "x-method-override", 0)                                                   \
    X(X_ORIGINAL_URL, "x-original-url", 0)                                                         \
    X(X_REAL_IP, "x-real-ip", 0)                                                                   \
    X(X_REQUEST_ID, "x-request-id", 0)                                                             \
    X(X_REWRITE_URL, "x-rewrite-url", 0)                                                           \
    X(X_FORWARDED_ANY, "x-forwarded-", 0)                                                          \
    X(X_HTTPCG_ANY, "x-httpcg-", 0)                                                                \
    X(SAPI_ANY, "sapi-", 0)                                                                        \
    X(PROXY_ANY, "proxy-", CG_NAME_HOP)
/* clang-format on */

enum cg_token {
    CG_TOKEN_OTHER, /* not in the list: compare the name */
#define X(name, text, flags) CG_TOKEN_##name,
    CG_TOKEN_LIST(X)
#undef X
        CG_TOKEN_COUNT
};

/* One field line. */
struct cg_field {
    enum cg_token token;
    bool never_index;    /* HPACK shall not remember it */
    struct cg_span name; /* lower case */
    struct cg_span value;
};

/* How a request names its target (RFC 9112, 3.2); HTTP/2 knows ORIGIN only. */
enum cg_form {
    CG_FORM_ORIGIN,
    CG_FORM_ABSOLUTE,
};

struct cg_head {
    /* A request's. HTTP/1.1 origin form: scheme is the connection's, authority is Host. HTTP/1.1
     * absolute form: from the target, and Host was found equal. path has the query, as received,
     * printable ASCII without space; never a fragment. Absent ones are empty. */
    struct cg_span method, scheme, authority, path;
    struct cg_span protocol; /* extended CONNECT's (RFC 8441) */
    enum cg_form form;

    int status; /* a response's, 100 to 599; 0 in requests and trailers */

    struct cg_field *fields; /* in order of arrival */
    size_t n_fields;
    int64_t content_length; /* -1 where none was stated */
    bool has_underscore;    /* some field name has a '_' */

    /* Below: message.c's own. */
    size_t cap;
    size_t list_bytes;      /* as RFC 9113, 6.5.2 counts */
    uint64_t seen[2];       /* tokens that occur */
    struct cg_arena *arena; /* borrowed */
};

/* cg_token_of gives a lower-case name's token. Names beginning with one of the family prefixes
 * (x-forwarded-, x-httpcg-, sapi-, proxy-) that have no token of their own get the family's. */
enum cg_token cg_token_of(struct cg_span name);
/* cg_token_name gives a token's name; a family's prefix; the empty span for CG_TOKEN_OTHER. */
struct cg_span cg_token_name(enum cg_token token);
/* cg_token_flags gives CG_NAME_HOP and CG_NAME_SECRET. */
unsigned cg_token_flags(enum cg_token token);

/* cg_head_init makes an empty head whose bytes will live in the arena. */
void cg_head_init(struct cg_head *head, struct cg_arena *arena);

/* cg_head_add appends a field by token; not for OTHER and the families.
 * Owns    the value is copied into the arena. SP and HTAB around it are trimmed first.
 * Errors  CG_SYNTAX (a control character in the value: nothing that ends a line gets in),
 *         CG_TOO_LARGE (fields, or the arena's maximum), CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_head_add(struct cg_head *head, enum cg_token token, struct cg_span value);
/* cg_head_add_named is cg_head_add for any name, which must be a lower-case token
 * (RFC 9110, 5.6.2). */
CG_MUST_USE cg_err cg_head_add_named(struct cg_head *head, struct cg_span name,
                                     struct cg_span value);
/* cg_head_add_copy appends a field of another head as it is: it was checked when it got in there.
 * Owns    as cg_head_add.
 * Errors  CG_TOO_LARGE, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_head_add_copy(struct cg_head *head, const struct cg_field *field);
/* cg_head_add_int appends a decimal number. */
CG_MUST_USE cg_err cg_head_add_int(struct cg_head *head, enum cg_token token, uint64_t number);

/* cg_head_find gives the first field of that token, or NULL. */
const struct cg_field *cg_head_find(const struct cg_head *head, enum cg_token token);
/* cg_head_find_named gives the first field of that lower-case name, or NULL. */
const struct cg_field *cg_head_find_named(const struct cg_head *head, struct cg_span name);
/* cg_head_value gives the first value of that token; at is NULL where there is none. */
struct cg_span cg_head_value(const struct cg_head *head, enum cg_token token);
/* cg_head_count tells how many lines have that token. */
size_t cg_head_count(const struct cg_head *head, enum cg_token token);
/* cg_head_lists tells whether some line of that token has word among its comma-separated members,
 * ASCII case apart (Connection, TE, Trailer). */
bool cg_head_lists(const struct cg_head *head, enum cg_token token, const char *word);
bool cg_head_lists_span(const struct cg_head *head, enum cg_token token, struct cg_span word);
/* cg_head_drop removes every line of that token, family tokens included. */
void cg_head_drop(struct cg_head *head, enum cg_token token);
/* cg_head_drop_hops removes every hop-by-hop field: the known ones and those that Connection names
 * (RFC 9110, 7.6.1). Call it before adding fields of one's own, so that no peer can name those.
 * Errors  CG_SYNTAX (Connection names a field that is end-to-end by its definition, which would
 *         take a signed field away), CG_TOO_LARGE (more than 32 names); nothing is then removed. */
CG_MUST_USE cg_err cg_head_drop_hops(struct cg_head *head);

#endif
