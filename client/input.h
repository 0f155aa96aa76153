/* input.h: a pipe or terminal whose bytes are to be sent as they come: read by a thread of its own,
 * so that whoever waits for it does not hold up the connection. */
#ifndef CG_CLIENT_INPUT_H
#define CG_CLIENT_INPUT_H
#include "runtime/loop.h"

struct cl_input;

/* cl_input_new begins to read. on_ready runs on the loop when there is something after a CG_BUSY.
 * Errors  CG_NO_MEMORY, CG_IO (no thread). */
CG_MUST_USE cg_err cl_input_new(struct cg_loop *loop, int fd, void (*on_ready)(void *ctx),
                                void *ctx, struct cl_input **out);
/* cl_input_take gives what is there; *out_len 0 is the end.
 * Errors  CG_BUSY (nothing yet), CG_IO. */
CG_MUST_USE cg_err cl_input_take(struct cl_input *input, uint8_t *at, size_t room, size_t *out_len);
/* cl_input_free lets go of it, while the loop is there and not from within it; a thread that still
 * waits for its descriptor frees the rest. */
void cl_input_free(struct cl_input *input);

#endif
