/* err.h: every error of the project, whose fault it is, and its sentence for people.
 *
 * The fault class is what HTTP status, log level and metrics derive from; the place that fails
 * never decides those. */
#ifndef CG_ERR_H
#define CG_ERR_H
#include <httpcg/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*    name            fault   sentence */
#define CG_ERR_LIST(X)                                                                             \
    X(OK, NONE, "no error")                                                                        \
    X(SHORT, PEER, "input ends early")                                                             \
    X(EXTRA, PEER, "input goes on after its end")                                                  \
    X(SYNTAX, PEER, "input is malformed")                                                          \
    X(CANONICAL, PEER, "input is not in its one canonical form")                                   \
    X(SCHEMA, PEER, "a member is missing, unknown or of the wrong type")                           \
    X(TOO_LARGE, PEER, "input is over its limit")                                                  \
    X(VERSION, PEER, "unknown version")                                                            \
    X(KEY, PEER, "unusable public key")                                                            \
    X(SIGNATURE, PEER, "a signature does not verify")                                              \
    X(PROOF, PEER, "a proof does not lead to the signed root")                                     \
    X(MISMATCH, PEER, "a value is not the one expected here")                                      \
    X(BINDING, PEER, "bound to another connection")                                                \
    X(ROLE, PEER, "certificate of another role")                                                   \
    X(REPLAY, PEER, "already used")                                                                \
    X(DIGEST, PEER, "the body is not the one announced")                                           \
    X(STALE, PEER, "too old")                                                                      \
    X(EARLY, PEER, "from the future")                                                              \
    X(EXPIRED, PEER, "no longer valid")                                                            \
    X(REVOKED, PEER, "revoked")                                                                    \
    X(ROLLBACK, PEER, "older than what was seen before")                                           \
    X(QUORUM, PEER, "not enough witnesses")                                                        \
    X(UNKNOWN, PEER, "not known here")                                                             \
    X(TARGET, PEER, "a target this gateway does not connect to")                                   \
    X(SKEW, PEER, "clock outside the window")                                                      \
    X(CLOSED, PEER, "the other side closed")                                                       \
    X(PROTOCOL, PEER, "the other side broke the protocol")                                         \
    X(TLS, PEER, "TLS failed")                                                                     \
    X(DENIED, POLICY, "the policy does not allow it")                                              \
    X(STEP_UP, POLICY, "the policy asks for a stronger signature")                                 \
    X(NEEDS_AUTH, POLICY, "the policy asks for a signed request")                                  \
    X(SCOPE, POLICY, "outside the grant's scope")                                                  \
    X(METHOD, POLICY, "no rule for this method")                                                   \
    X(NO_RULE, POLICY, "no rule for this path")                                                    \
    X(NOT_FOUND, POLICY, "no such thing")                                                          \
    X(CONFLICT, POLICY, "conflicts with what is stored")                                           \
    X(BUSY, LATER, "try again later")                                                              \
    X(RATE, LATER, "too many")                                                                     \
    X(TIMEOUT, LATER, "took too long")                                                             \
    X(UNREACHABLE, LATER, "cannot be reached")                                                     \
    X(CANCELLED, LATER, "called off")                                                              \
    X(NO_MEMORY, OURS, "out of memory")                                                            \
    X(CRYPTO, OURS, "the crypto library failed")                                                   \
    X(IO, OURS, "input or output failed")                                                          \
    X(STORE, OURS, "the database failed")                                                          \
    X(CONFIG, OURS, "the configuration does not work")                                             \
    X(UNSUPPORTED, OURS, "not supported by this build")                                            \
    X(INTERNAL, OURS, "internal error")

typedef enum {
#define X(name, fault, text) CG_##name,
    CG_ERR_LIST(X)
#undef X
        CG_ERR_COUNT
} cg_err;

enum cg_fault_class {
    CG_FAULT_NONE,
    CG_FAULT_PEER,
    CG_FAULT_POLICY,
    CG_FAULT_OURS,
    CG_FAULT_LATER,
};

/* cg_err_name gives the constant's name without its prefix, such as "SHORT". */
CG_API const char *cg_err_name(cg_err err);
/* cg_err_text gives the sentence for people. */
CG_API const char *cg_err_text(cg_err err);
/* cg_err_fault tells whose fault it is. */
CG_API enum cg_fault_class cg_err_fault(cg_err err);

#ifdef __cplusplus
}
#endif
#endif
