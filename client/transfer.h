/* transfer.h: one URL's fetch: what came of it, for -w, --json and the exit code. */
#ifndef CG_CLIENT_TRANSFER_H
#define CG_CLIENT_TRANSFER_H
#include "client/ask.h"
#include "client/meter.h"
#include "client/output.h"
#include "client/way.h"

struct cl_transfer {
    struct cl_run *run;
    struct cl_request *request;
    struct cl_output output;
    const char *text; /* the URL as it was given */
    const struct cg_url *url;
    char whole[12 * 1024 + 64]; /* in canonical form */
    enum cg_sapi_mode mode;
    struct cl_fetch *fetch;
    void *agent;      /* asked in place of a fetch of our own */
    bool is_by_agent; /* it was */
    struct cl_meter meter;
    bool is_done;
    bool is_failed_status; /* --fail, and the status is one */
    cg_err err;
    int code; /* of exit */
    /* What is known afterwards; the texts are empty where nothing is. */
    int status;
    bool is_verified;
    bool is_hint; /* an unsigned refusal */
    uint64_t n_down, n_up;
    size_t n_headers;
    char content_type[128], http_version[4];
    char gateway[300], gateway_did[CG_DID_CHARS + 1], fingerprint[2 * CG_HASH_BYTES + 1];
    char tls_group[32], address[CG_ADDRESS_TEXT_BYTES], wallet[CG_WADDR_CHARS + 1];
    struct cg_mono began, resolved, connected, secured, ready, head_at, ended; /* 0: not reached */
};

/* cl_transfer_json gives all of it as an object. */
json_t *cl_transfer_json(const struct cl_transfer *transfer);
/* cl_write_out prints a -w format, or that of a file (@FILE).
 * Errors  CG_SYNTAX (a variable there is none of: it is printed as it stands), CG_IO. */
CG_MUST_USE cg_err cl_write_out(const struct cl_transfer *transfer, const char *format);

#endif
