#include "runtime/endpoint_inner.h"

#include "lib/base/span.h"
#include "runtime/loop_inner.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The question goes to the other role's loop as it is and comes back with the answer in it. Between
 * its two posts it belongs to that loop's thread, but for the one flag. */
struct local {
    struct cg_question q; /* first */
    struct cg_task task;
    const struct cg_local *role;
    _Atomic bool is_off;
};

/* --- on the role's loop --- */

static void end(struct local *ask, cg_err err)
{
    cg_call_end_from(&ask->q.call, err);
}

static void deliver(struct cg_reply *reply)
{
    struct local *ask = reply->asker;
    struct cg_question *q = &ask->q;
    cg_err err = cg_head_copy(&reply->head, true, &q->arena, &q->answer_head);

    if (err == CG_OK && !cg_span_is(q->head.method, "HEAD"))
        err = cg_buf_add(&q->answer_body, cg_buf_span(&reply->body));
    if (err == CG_OK)
        cg_question_answer(q);
    cg_reply_free(reply);
    end(ask, err);
}

static void serve(struct cg_task *task)
{
    struct local *ask = (struct local *)((char *)task - offsetof(struct local, task));
    const struct cg_local *role = ask->role;
    struct cg_question *q = &ask->q;
    struct cg_peer peer = {.is_local_role = true};
    struct cg_routed routed;
    struct cg_reply *reply;
    cg_err err;

    if (ask->is_off || role->loop->is_ending) {
        end(ask, CG_CANCELLED);
        return;
    }
    routed = cg_route_find(&role->table, 1, &q->head);
    err = cg_reply_new(role->loop, &peer, &q->head, &routed, deliver, ask, &reply);
    if (err != CG_OK) {
        end(ask, err);
        return;
    }
    reply->is_called_off = &ask->is_off;
    if (routed.route && cg_buf_add(&reply->in_body, cg_buf_span(&q->body)) != CG_OK)
        cg_reply_refuse(reply, CG_REFUSAL_TOO_LARGE, NULL);
    else
        cg_reply_run(reply, &routed, &role->table, 1);
}

/* --- on the asker's loop --- */

/* The role finishes it, into the void: what is not begun yet there is then not begun at all. */
static bool stop_local(struct cg_call *call)
{
    ((struct local *)call)->is_off = true;
    return false;
}

static void free_local(struct cg_call *call)
{
    struct local *ask = (struct local *)call;

    cg_question_done(&ask->q);
    free(ask);
}

static const struct cg_call_kind local_call = {
    .name = "local", .stop = stop_local, .free = free_local};

static void begin_local(struct cg_question *question)
{
    struct local *ask = (struct local *)question;

    ask->role = question->endpoint->local;
    atomic_init(&ask->is_off, false);
    ask->task = (struct cg_task){.run = serve};
    cg_loop_post(ask->role->loop, &ask->task);
}

const struct cg_asking cg_ask_local = {sizeof(struct local), &local_call, begin_local};
