#include "ledger/sequence.h"

#include "lib/base/span.h"
#include "runtime/wheel.h"

#include <assert.h>

void lg_sequence_init(struct lg_sequence *s, const struct lg_pace *pace, struct cg_mono now)
{
    *s = (struct lg_sequence){.pace = *pace, .retry_at = now, .head_at = now, .heartbeat_at = now};
    s->queue_end = &s->queue;
}

static void let_go(struct lg_item *items)
{
    for (; items; items = items->next)
        while (items->waiters)
            lg_wait_end(items->waiters);
}

void lg_sequence_done(struct lg_sequence *s)
{
    let_go(s->queue);
    let_go(s->batch);
    lg_items_free(s->queue);
    lg_items_free(s->batch);
    *s = (struct lg_sequence){.queue_end = &s->queue};
}

void lg_sequence_drain(struct lg_sequence *s)
{
    s->is_draining = true;
}

bool lg_sequence_is_drained(const struct lg_sequence *s)
{
    return s->is_draining && !s->is_busy && !s->queue && !s->batch;
}

/* Answers all who wait for an item. */
static void answer(struct lg_item *item, cg_err err, struct lg_update *out)
{
    while (item->waiters) {
        struct lg_waiter *waiter = item->waiters;

        lg_wait_end(waiter);
        waiter->err = err;
        waiter->index = item->index;
        waiter->next = out->answered;
        out->answered = waiter;
    }
}

static bool is_same(const struct lg_item *a, const struct lg_item *b)
{
    return a->kind == b->kind && cg_hash_eq(&a->commitment, &b->commitment);
}

/* The same submission, waiting already. Only what never changes is looked at: the job may be
 * writing to the rest of a batch's item. */
static struct lg_item *find_same(struct lg_sequence *s, const struct lg_item *item)
{
    for (struct lg_item *i = s->batch; i; i = i->next)
        if (is_same(i, item))
            return i;
    for (struct lg_item *i = s->queue; i; i = i->next)
        if (is_same(i, item))
            return i;
    return NULL;
}

static void submit(struct lg_sequence *s, struct lg_item *item, struct lg_update *out)
{
    struct lg_item *same = find_same(s, item);
    size_t bytes = lg_item_size(item);

    if (same) {
        while (item->waiters) {
            struct lg_waiter *waiter = item->waiters;

            lg_wait_end(waiter);
            lg_wait(same, waiter);
        }
        lg_item_free(item);
    } else if (s->is_draining || s->n_queued >= s->pace.queue_max ||
               bytes > s->pace.queue_bytes - s->queued_bytes) {
        answer(item, CG_BUSY, out);
        lg_item_free(item);
    } else {
        item->next = NULL;
        *s->queue_end = item;
        s->queue_end = &item->next;
        s->n_queued++;
        s->queued_bytes += bytes;
    }
}

/* Takes up to batch_max items off the queue. */
static struct lg_item *take_batch(struct lg_sequence *s)
{
    struct lg_item *batch = s->queue, **end = &batch;

    for (size_t n = 0; *end && n < s->pace.batch_max; n++) {
        s->n_queued--;
        s->queued_bytes -= lg_item_size(*end);
        end = &(*end)->next;
    }
    s->queue = *end;
    *end = NULL;
    if (!s->queue)
        s->queue_end = &s->queue;
    return batch;
}

/* Answers the whole batch, or those alone whose fate is known. */
static void answer_batch(struct lg_sequence *s, cg_err err, bool settled_only,
                         struct lg_update *out)
{
    for (struct lg_item *item = s->batch; item; item = item->next)
        if (item->is_settled)
            answer(item, item->err, out);
        else if (!settled_only)
            answer(item, err, out);
    if (!settled_only) {
        lg_items_free(s->batch);
        s->batch = NULL;
    }
}

static void retry(struct lg_sequence *s, enum lg_phase phase, struct cg_mono now)
{
    s->phase = phase;
    s->retry_at = cg_mono_after(now, s->pace.retry_ms);
}

static void appended(struct lg_sequence *s, const struct lg_event *event, struct cg_mono now,
                     struct lg_update *out)
{
    if (event->err != CG_OK) {
        /* Whether it reached the disk is for RESUME to find out; who asks again is told then. */
        answer_batch(s, event->err, false, out);
        retry(s, LG_RESUME, now);
    } else if (event->has_head) {
        answer_batch(s, CG_OK, true, out);
        s->heartbeat_at = cg_mono_after(now, s->pace.heartbeat_ms);
        s->phase = LG_SIGN;
        s->retry_at = now;
    } else {
        answer_batch(s, CG_OK, false, out);
        s->phase = LG_IDLE;
    }
}

static void finished(struct lg_sequence *s, const struct lg_event *event, struct cg_mono now,
                     struct lg_update *out)
{
    s->is_busy = false;
    switch (event->kind) {
    case LG_RESUMED:
        if (event->err != CG_OK) {
            retry(s, LG_RESUME, now);
            return;
        }
        s->size = event->size;
        s->phase = event->has_head ? LG_SIGN : LG_IDLE;
        s->retry_at = now;
        s->head_at = now;
        s->heartbeat_at = now; /* begin with a head of today */
        return;
    case LG_APPENDED:
        appended(s, event, now, out);
        return;
    case LG_SIGNED:
        if (event->err != CG_OK) {
            retry(s, LG_SIGN, now);
            return;
        }
        s->phase = LG_PUBLISH;
        s->retry_at = now;
        return;
    case LG_PUBLISHED:
        if (event->err != CG_OK) {
            retry(s, LG_PUBLISH, now);
            return;
        }
        s->size = event->size;
        s->n_heads++;
        answer_batch(s, CG_OK, false, out);
        s->phase = LG_IDLE;
        return;
    case LG_TIME:
    case LG_SUBMITTED:
        return;
    }
}

/* When the phase may go on. */
static struct cg_mono due_at(const struct lg_sequence *s)
{
    if (s->phase != LG_IDLE)
        return s->retry_at;
    return s->queue ? cg_mono_earlier(s->head_at, s->heartbeat_at) : s->heartbeat_at;
}

static void go_on(struct lg_sequence *s, struct cg_mono now, struct lg_update *out)
{
    s->is_busy = true;
    switch (s->phase) {
    case LG_RESUME:
        out->resume = true;
        return;
    case LG_IDLE:
    case LG_APPEND:
        s->phase = LG_APPEND;
        s->batch = take_batch(s);
        s->head_at = cg_mono_after(now, s->pace.interval_ms);
        out->append = true;
        out->needs_head = cg_mono_is_due(s->heartbeat_at, now);
        out->batch = s->batch;
        return;
    case LG_SIGN:
        out->sign = true;
        return;
    case LG_PUBLISH:
        out->publish = true;
        return;
    }
}

void lg_step(struct lg_sequence *s, const struct lg_event *event, struct cg_mono now,
             struct lg_update *out)
{
    *out = (struct lg_update){.wake = CG_NEVER};
    if (event->kind == LG_SUBMITTED) {
        for (struct lg_item *item = event->item, *next; item; item = next) {
            next = item->next;
            submit(s, item, out);
        }
    } else if (event->kind != LG_TIME) {
        assert(s->is_busy);
        finished(s, event, now, out);
    }
    if (s->is_busy)
        return;
    if (cg_mono_is_due(due_at(s), now))
        go_on(s, now, out);
    else
        out->wake = due_at(s);
}
