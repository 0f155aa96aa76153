/* mode.h: how a request is signed; what clients choose, policies ask for and headers name. */
#ifndef CG_MODE_H
#define CG_MODE_H
#include <httpcg/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are those that are signed; they also order by strength. */
enum cg_sapi_mode {
    CG_SAPI_NONE = 0,    /* not at all */
    CG_SAPI_GRANT = 1,   /* HMAC-SHA-256 under the minute's key of a grant */
    CG_SAPI_ED25519 = 2, /* the grant's session key */
    CG_SAPI_HYBRID = 3, /* the wallet's identity keys; in responses: the gateway's transport keys */
    CG_SAPI_MODE_COUNT
};

/* cg_sapi_mode_name gives the name as "alg" has it: "none", "grant", "ed25519", "hybrid". */
CG_API const char *cg_sapi_mode_name(enum cg_sapi_mode mode);
/* cg_sapi_mode_read takes one of the four names. Errors CG_UNKNOWN. */
CG_API CG_MUST_USE cg_err cg_sapi_mode_read(struct cg_span text, enum cg_sapi_mode *out);

#ifdef __cplusplus
}
#endif
#endif
