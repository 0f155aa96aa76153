/* refusal.h: the errors a peer is told, one list of code, status and fixed title (RFC 9457).
 *
 * Nothing else about a failure leaves the process: every authentication failure has the same body
 * but for its instance, and details go to the log under that id (docs/protocol/errors.md). */
#ifndef CG_LIB_WIRE_REFUSAL_H
#define CG_LIB_WIRE_REFUSAL_H
#include "lib/wire/writer.h"

/*    constant            code                   status  title */
#define CG_REFUSAL_LIST(X)                                                                         \
    X(NONE, "none", 200, "No error")                                                               \
    X(BAD_REQUEST, "bad-request", 400, "The request is malformed")                                 \
    X(DIGEST_MISMATCH, "digest-mismatch", 400, "The body does not match its digest")               \
    X(AUTH_REQUIRED, "auth-required", 401, "A signed request is required")                         \
    X(CLOCK_SKEW, "clock-skew", 401, "The clock is outside the window")                            \
    X(AUTH_FAILED, "auth-failed", 401, "Authentication failed")                                    \
    X(STEP_UP, "step-up", 403, "A stronger signature is required")                                 \
    X(FORBIDDEN, "forbidden", 403, "Not allowed")                                                  \
    X(NOT_FOUND, "not-found", 404, "Not found")                                                    \
    X(NAME_UNRESOLVED, "name-unresolved", 404, "No such name")                                     \
    X(METHOD_NOT_ALLOWED, "method-not-allowed", 405, "Method not allowed")                         \
    X(CONFLICT, "conflict", 409, "Conflicts with what is stored")                                  \
    X(TOO_LARGE, "too-large", 413, "Too large")                                                    \
    X(URI_TOO_LONG, "uri-too-long", 414, "The address is too long")                                \
    X(MISDIRECTED, "misdirected", 421, "Not served here")                                          \
    X(UNPROCESSABLE, "unprocessable", 422, "The object fails its checks")                          \
    X(RATE_LIMITED, "rate-limited", 429, "Too many requests")                                      \
    X(HEADER_TOO_LARGE, "header-too-large", 431, "The header is too large")                        \
    X(INTERNAL, "internal", 500, "Internal error")                                                 \
    X(NOT_IMPLEMENTED, "not-implemented", 501, "Not served by this build")                         \
    X(BAD_GATEWAY, "bad-gateway", 502, "The backend failed")                                       \
    X(UNAVAILABLE, "unavailable", 503, "Not available now")                                        \
    X(GATEWAY_TIMEOUT, "gateway-timeout", 504, "The backend took too long")

enum cg_refusal {
#define X(name, code, status, title) CG_REFUSAL_##name,
    CG_REFUSAL_LIST(X)
#undef X
        CG_REFUSAL_COUNT
};

/* What a refusal may tell beside its code; absent members are left out. */
struct cg_refusal_extra {
    uint64_t server_time;  /* clock-skew; Unix seconds, 0: absent */
    const char *sapi;      /* step-up: the mode asked for */
    const char *field;     /* unprocessable */
    struct cg_span staple; /* name-unresolved: CBOR, written as base64 */
};

#define CG_REFUSAL_TYPE "application/problem+json"

const char *cg_refusal_code(enum cg_refusal refusal);
int cg_refusal_status(enum cg_refusal refusal);
/* cg_refusal_of_code finds a refusal by its code, or by the problem's whole type URL;
 * CG_REFUSAL_NONE where it is none of ours. */
enum cg_refusal cg_refusal_of_code(struct cg_span code);
/* cg_refusal_write writes the body.
 * Units   id is the request's, 16 bytes, written as a UUID; extra may be NULL.
 * Errors  the writer's. */
CG_MUST_USE cg_err cg_refusal_write(enum cg_refusal refusal, const uint8_t id[16],
                                    const struct cg_refusal_extra *extra, struct cg_writer *out);
/* cg_put_uuid writes 16 bytes in the text form of RFC 9562. */
void cg_put_uuid(struct cg_writer *w, const uint8_t id[16]);

#endif
