/* log_sink.h: whole lines from many threads into one file, without any of them waiting for it. */
#ifndef CG_RUNTIME_LOG_SINK_H
#define CG_RUNTIME_LOG_SINK_H
#include "runtime/problem.h"

#include <pthread.h>

/* Lines are added to one half while the other is written; a zeroed sink is closed. */
struct cg_log_sink {
    pthread_mutex_t lock; /* of filling, n_dropped and is_direct */
    struct cg_buf filling;
    struct cg_buf writing; /* the writer's alone */
    uint64_t n_dropped;    /* since the start */
    uint64_t n_said;       /* of them already told of; the writer's */
    unsigned n_turns;      /* since then; the writer's */
    bool is_open;          /* never changes between open and done */
    bool is_direct;        /* no writer runs: lines go out at once */
    bool is_torn;          /* the file ends within a line */
    const char *file;      /* NULL: standard error */
    int fd;
    bool may_block; /* no regular file */
    int error;      /* of the last write, 0 when it went well */
};

/* cg_log_sink_open opens file, or standard error for NULL.
 * Errors  CG_IO with a problem that names setting; CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_log_sink_open(struct cg_log_sink *sink, const char *file, const char *setting,
                                    size_t max_bytes, struct cg_problems *problems);
void cg_log_sink_done(struct cg_log_sink *sink);
bool cg_log_sink_is_open(const struct cg_log_sink *sink);
/* cg_log_sink_add adds a line, or counts it as dropped; true when the writer should hurry. */
bool cg_log_sink_add(struct cg_log_sink *sink, const char *line, size_t len);
/* cg_log_sink_flush writes what was added so far. On an error its lines are dropped and counted,
 * and the error stays in sink->error until a write goes well. */
void cg_log_sink_flush(struct cg_log_sink *sink);
/* cg_log_sink_say is the writer's own word, past the ring: nothing is counted. */
void cg_log_sink_say(struct cg_log_sink *sink, const char *line, size_t len);
/* cg_log_sink_direct says whether lines go out at once from now on. */
void cg_log_sink_direct(struct cg_log_sink *sink, bool is_direct);
/* cg_log_sink_reopen opens the file anew; on an error the old one stays and the errno is returned.
 */
int cg_log_sink_reopen(struct cg_log_sink *sink);
uint64_t cg_log_sink_dropped(struct cg_log_sink *sink);

#endif
