/* inner.h: the ledger's parts, to each other. */
#ifndef CG_LEDGER_INNER_H
#define CG_LEDGER_INNER_H
#include "ledger/append.h"
#include "ledger/ledger.h"
#include "ledger/sequence.h"
#include "ledger/sign.h"
#include "runtime/bucket.h"
#include "runtime/pending.h"

struct lg_ledger {
    struct lg_setup setup;
    struct lg_office *office;
    struct cg_store *reader; /* the reading thread's */
    struct cg_store *writer; /* the writing thread's */
    struct cg_workers *read_thread, *write_thread;
    struct cg_route_table table;

    /* The loop's. */
    struct lg_sequence sequence;
    struct cg_ticket ticket;
    struct cg_timer wake;
    struct cg_buf published; /* the newest note */
    struct cg_pendings pending;
    struct cg_buckets submissions; /* by address prefix */
    bool is_draining;

    /* The job's that is under way, the loop's in between. */
    struct lg_book book;
    struct lg_batch batch;
    struct cg_buf note; /* signed, not published yet */
};

/* run.c: the sequencer's events and wishes */

/* lg_run_begin starts the sequencer; lg_run_end stops it. */
CG_MUST_USE cg_err lg_run_begin(struct lg_ledger *ledger);
void lg_run_end(struct lg_ledger *ledger);
/* lg_run_submit hands a list of admitted items over; their waiters are answered by
 * lg_submit_answered. */
void lg_run_submit(struct lg_ledger *ledger, struct lg_item *items);

/* submit.c */

void lg_submit(const struct cg_message *in, struct cg_reply *out);
void lg_submit_answered(struct lg_waiter *waiter);

/* serve.c: the handlers that read */

void lg_get_checkpoint(const struct cg_message *in, struct cg_reply *out);
void lg_get_tile(const struct cg_message *in, struct cg_reply *out);
void lg_get_object(const struct cg_message *in, struct cg_reply *out);
void lg_get_inclusion(const struct cg_message *in, struct cg_reply *out);
void lg_get_consistency(const struct cg_message *in, struct cg_reply *out);
void lg_get_state(const struct cg_message *in, struct cg_reply *out);
void lg_get_staple(const struct cg_message *in, struct cg_reply *out);
/* lg_answer_logged ends a submission whose entry is published. */
void lg_answer_logged(struct cg_pending *pending, uint64_t index);

extern const struct cg_route lg_route_list[];
extern const size_t lg_n_routes;

#endif
