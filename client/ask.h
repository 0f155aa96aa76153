/* ask.h: what a fetch asks for: method, header fields and body, out of the options. */
#ifndef CG_CLIENT_ASK_H
#define CG_CLIENT_ASK_H
#include "client/fetch.h"
#include "client/input.h"
#include "client/key.h"
#include "lib/crypto/hash.h"

#define CL_FIELDS_MAX 64

struct cl_request {
    const char *method;
    char method_room[32];
    struct cg_arena arena; /* of names and values */
    struct cg_field fields[CL_FIELDS_MAX];
    size_t n_fields;
    enum cl_body body;
    struct cg_buf whole;
    bool is_query;          /* -G: whole goes into the URL */
    FILE *file;             /* SIZED and STREAM */
    struct cl_input *input; /* of STREAM, once it is listened to */
    int64_t length;         /* SIZED */
    struct cg_hash digest;
    const char *file_name; /* of -T */
};

/* cl_request_make reads the options. What is wrong is said; the return is an exit code;
 * cl_request_done is needed all the same. */
CG_MUST_USE int cl_request_make(struct cl_run *run, const char *command_method,
                                struct cl_request *out);
void cl_request_done(struct cl_request *request);
/* cl_request_may_repeat tells whether the same can be sent once more. */
bool cl_request_may_repeat(const struct cl_request *request);
/* cl_request_rewind goes back to the body's beginning. */
CG_MUST_USE cg_err cl_request_rewind(struct cl_request *request);
/* cl_request_listen begins to read what comes as it comes; on_ready tells of more after a CG_BUSY.
 * Only the first call counts. */
CG_MUST_USE cg_err cl_request_listen(struct cl_request *request, struct cg_loop *loop,
                                     void (*on_ready)(void *ctx), void *ctx);
/* cl_request_read is a read for cl_fetch_ask over a struct cl_request.
 * Errors  CG_BUSY (nothing there yet), CG_IO. */
cg_err cl_request_read(struct cl_request *request, uint8_t *at, size_t room, size_t *out_len);

#endif
