/* duplex.h: a client engine and a server engine, talking through two buffers in simulated time. */
#ifndef CG_TESTS_DUPLEX_H
#define CG_TESTS_DUPLEX_H
#include "session/stack.h"

struct cg_duplex {
    struct cg_engine *client, *server;
    struct cg_buf to_server, to_client; /* on their way */
    struct cg_mono now;
    size_t piece;                    /* feed at most so many bytes at a time; 0: all there is */
    size_t most_held;                /* the most that was ever on its way in one direction */
    size_t n_to_server, n_to_client; /* bytes carried so far */
    bool ended[2];                   /* the client's, the server's end was told to the other */
};

/* cg_duplex_join starts with two engines, which become the duplex's. */
void cg_duplex_join(struct cg_duplex *d, struct cg_engine *client, struct cg_engine *server);
/* cg_duplex_run carries bytes both ways until neither side has any, or takes any; and the end of a
 * side that is CLOSED and has said all it had to say. */
void cg_duplex_run(struct cg_duplex *d);
/* cg_duplex_done frees engines and buffers. */
void cg_duplex_done(struct cg_duplex *d);

/* cg_give feeds bytes and cg_take_out pulls some, whatever the engine says to it. */
size_t cg_give(struct cg_engine *e, struct cg_span bytes, struct cg_mono now);
void cg_take_out(struct cg_engine *e, struct cg_buf *out);

/* cg_duplex_wait gives the next exchange that one side reports, running as needed; NULL: none. */
struct cg_exchange *cg_duplex_wait(struct cg_duplex *d, struct cg_engine *side, unsigned *what);
/* cg_duplex_until runs and collects the reports of one exchange until all of want were seen, or
 * nothing moves any more; true in the first case. Reports of others are lost. */
bool cg_duplex_until(struct cg_duplex *d, struct cg_engine *side, struct cg_exchange *x,
                     unsigned want);

#endif
