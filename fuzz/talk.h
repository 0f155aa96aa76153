/* talk.h: an engine of session/ with somebody at each of its doors, for the targets h1 and h2.
 *
 * A script of bytes plays both: it cuts what the peer sends, lets time pass, and does whatever a
 * user of exchanges may do, at any moment.  After each step everything is looked at that must hold
 * always. */
#ifndef CG_FUZZ_TALK_H
#define CG_FUZZ_TALK_H
#include "fuzz/fuzz.h"
#include "lib/base/arena.h"
#include "session/engine.h"

#define CG_TALK_LIVE_MAX 40

struct cg_talk_live {
    struct cg_exchange *x;
    unsigned seen;       /* every bit reported so far */
    struct cg_buf *body; /* what was taken */
};

struct cg_talk {
    struct cg_fuzz *in;
    struct cg_engine *engine;
    struct cg_engine_conf conf;
    struct cg_mono now;
    struct cg_span wire; /* what the peer will send */
    bool is_server;
    struct cg_talk_live live[CG_TALK_LIVE_MAX];
    size_t n_live;
    struct cg_arena arena;
    struct cg_buf *out; /* what the engine said to the peer */
};

/* cg_talk_begin takes the engine over; wire is what the peer sends. */
void cg_talk_begin(struct cg_talk *talk, struct cg_fuzz *in, struct cg_engine *engine,
                   bool is_server, const struct cg_engine_conf *conf, struct cg_span wire);
/* cg_talk_ask makes a client's exchange. */
void cg_talk_ask(struct cg_talk *talk, const char *method, const char *scheme, bool is_end);
/* cg_talk_feed gives the engine the next n bytes of wire, or what it takes of them. */
void cg_talk_feed(struct cg_talk *talk, size_t n);
/* cg_talk_look takes reports, and body bytes where takes says so. */
void cg_talk_look(struct cg_talk *talk, bool takes);
/* cg_talk_step does what the next bytes of the script say. */
void cg_talk_step(struct cg_talk *talk, struct cg_span *script);
/* cg_talk_pull takes all that the engine has to say, and looks at what must hold. */
void cg_talk_pull(struct cg_talk *talk);
/* cg_talk_end lets the peer go, time run out, and frees everything. */
void cg_talk_end(struct cg_talk *talk);
/* cg_talk_story describes what came of each exchange, in words that cuts must not change. */
struct cg_span cg_talk_story(struct cg_talk *talk);

#endif
