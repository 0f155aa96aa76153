/* sequence.h: the ledger's one writer, as an engine: an event goes in, wishes come out.
 *
 *   RESUME   read what the last run left: nothing, or a head without its signature
 *   IDLE     collect submissions until the next head is due
 *   APPEND   entries, objects, nodes and the head to be signed go to disk
 *   SIGN     only now is the head signed: whatever crashes, a size has one root
 *   PUBLISH  the note and the map go to disk; only then is anybody answered
 *
 * Each wish is one job of another thread and is answered by one event.  What fails is tried again
 * after a while; an append that failed is followed by RESUME, since it may have reached the disk.
 * No I/O and no clock here, so the tests run years of it. */
#ifndef CG_LEDGER_SEQUENCE_H
#define CG_LEDGER_SEQUENCE_H
#include "ledger/item.h"

enum lg_phase {
    LG_RESUME,
    LG_IDLE,
    LG_APPEND,
    LG_SIGN,
    LG_PUBLISH,
};

struct lg_pace {
    int64_t interval_ms;  /* at least so long from one head to the next */
    int64_t heartbeat_ms; /* at most */
    int64_t retry_ms;     /* after a failure */
    size_t queue_max;     /* items that wait; beyond it submissions are refused */
    size_t queue_bytes;   /* and their bytes */
    size_t batch_max;     /* entries under one head, beside its map-head */
};

struct lg_sequence {
    struct lg_pace pace;
    enum lg_phase phase;
    bool is_busy; /* a job is under way */
    bool is_draining;
    struct lg_item *queue, **queue_end;
    size_t n_queued, queued_bytes;
    struct lg_item *batch;       /* of the head under way */
    struct cg_mono retry_at;     /* other phases than IDLE go on then */
    struct cg_mono head_at;      /* not before: the interval since the last head */
    struct cg_mono heartbeat_at; /* a head is due even without entries */
    uint64_t size;               /* published */
    uint64_t n_heads;            /* published since the start */
};

enum lg_event_kind {
    LG_TIME,      /* nothing but time passed */
    LG_SUBMITTED, /* items, with their waiters */
    LG_RESUMED,
    LG_APPENDED,
    LG_SIGNED,
    LG_PUBLISHED,
};

struct lg_event {
    enum lg_event_kind kind;
    struct lg_item *item; /* SUBMITTED: a list, in the order to be logged; given away */
    cg_err err;           /* of the job */
    bool has_head;        /* RESUMED, APPENDED: a head waits for its signature */
    uint64_t size;        /* RESUMED: published; PUBLISHED: likewise */
};

/* What the caller shall do.  At most one job. */
struct lg_update {
    bool resume;
    bool append;     /* the batch, which the job may write to until APPENDED */
    bool needs_head; /* append: a head is due even if no item is left to append */
    bool sign;
    bool publish;
    struct lg_item *batch;      /* append: first of the list, may be NULL */
    struct lg_waiter *answered; /* list by next: err and index are set */
    struct cg_mono wake;        /* LG_TIME is due then; CG_NEVER: not needed */
};

void lg_sequence_init(struct lg_sequence *sequence, const struct lg_pace *pace, struct cg_mono now);
/* lg_sequence_done frees the items; their waiters are let go without an answer. */
void lg_sequence_done(struct lg_sequence *sequence);
/* lg_step takes one event and tells what follows.  Never fails. */
void lg_step(struct lg_sequence *sequence, const struct lg_event *event, struct cg_mono now,
             struct lg_update *out);
/* lg_sequence_drain: from now on submissions are refused. */
void lg_sequence_drain(struct lg_sequence *sequence);
/* lg_sequence_is_drained tells whether nothing is waiting or under way. */
bool lg_sequence_is_drained(const struct lg_sequence *sequence);

#endif
