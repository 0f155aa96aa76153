/* The sequencer at work: its wishes become jobs, their ends become its events. */
#include "ledger/inner.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <stdlib.h>

/* --- jobs of the writing thread --- */

struct write {
    struct lg_ledger *ledger; /* its book, batch and note are this job's */
    enum lg_event_kind kind;
    struct lg_item *items;
    bool needs_head;
    struct cg_wall now;
    bool has_head;
    uint64_t size;
};

static cg_err run_write(void *work)
{
    struct write *write = work;
    struct lg_ledger *ledger = write->ledger;

    switch (write->kind) {
    case LG_RESUMED:
        lg_batch_done(&ledger->batch);
        lg_batch_init(&ledger->batch);
        return lg_resume(&ledger->book, &ledger->batch, &write->has_head, &write->size);
    case LG_APPENDED:
        lg_batch_done(&ledger->batch);
        lg_batch_init(&ledger->batch);
        return lg_append(&ledger->book, write->items, write->needs_head, write->now, &ledger->batch,
                         &write->has_head);
    case LG_PUBLISHED:
        write->size = ledger->batch.head.size;
        return lg_publish(&ledger->book, &ledger->batch, cg_buf_span(&ledger->note));
    default:
        return CG_INTERNAL;
    }
}

static const struct cg_job_kind write_kind = {
    .name = "ledger write", .run = run_write, .free = free};

/* --- the job of a worker --- */

struct sign {
    struct lg_office *office;
    uint64_t size;
    struct cg_hash root;
    struct cg_buf note;
};

static cg_err run_sign(void *work)
{
    struct sign *sign = work;

    return lg_office_sign(sign->office, sign->size, &sign->root, &sign->note);
}

static void free_sign(void *work)
{
    struct sign *sign = work;

    lg_office_unref(sign->office);
    cg_buf_done(&sign->note);
    free(sign);
}

static const struct cg_job_kind sign_kind = {
    .name = "ledger sign", .run = run_sign, .free = free_sign};

/* --- wishes --- */

static cg_err begin_write(struct lg_ledger *ledger, enum lg_event_kind kind,
                          const struct lg_update *update)
{
    struct write *write = malloc(sizeof *write);

    if (!write)
        return CG_NO_MEMORY;
    *write = (struct write){
        .ledger = ledger,
        .kind = kind,
        .items = update->batch,
        .needs_head = update->needs_head,
        .now = cg_loop_wall(ledger->setup.loop),
    };
    return cg_job_begin(ledger->write_thread, &write_kind, write, ledger->setup.loop,
                        ledger->ticket, kind, CG_NEVER);
}

static cg_err begin_sign(struct lg_ledger *ledger)
{
    struct sign *sign = malloc(sizeof *sign);

    if (!sign)
        return CG_NO_MEMORY;
    *sign = (struct sign){
        .office = lg_office_ref(ledger->office),
        .size = ledger->batch.head.size,
        .root = ledger->batch.head.root,
    };
    cg_buf_init(&sign->note, CG_NOTE_LOG_MAX_BYTES);
    return cg_job_begin(ledger->setup.workers, &sign_kind, sign, ledger->setup.loop, ledger->ticket,
                        LG_SIGNED, CG_NEVER);
}

/* Begins the one job wished for, if any, and tells by which event it would end. */
static cg_err begin(struct lg_ledger *ledger, const struct lg_update *update,
                    enum lg_event_kind *out_end)
{
    if (update->sign) {
        *out_end = LG_SIGNED;
        return begin_sign(ledger);
    }
    *out_end = update->resume ? LG_RESUMED : update->append ? LG_APPENDED : LG_PUBLISHED;
    if (update->resume || update->append || update->publish)
        return begin_write(ledger, *out_end, update);
    return CG_OK;
}

static void run(struct lg_ledger *ledger, struct lg_event event)
{
    struct lg_update update;
    cg_err err;

    do {
        lg_step(&ledger->sequence, &event, cg_loop_mono(ledger->setup.loop), &update);
        event = (struct lg_event){0};
        err = begin(ledger, &update, &event.kind);
        event.err = err;
        cg_loop_set(ledger->setup.loop, &ledger->wake, update.wake);
        while (update.answered) {
            struct lg_waiter *waiter = update.answered;

            update.answered = waiter->next;
            lg_submit_answered(waiter);
        }
    } while (err != CG_OK); /* what could not begin has ended; the sequencer then waits a while */
}

void lg_run_submit(struct lg_ledger *ledger, struct lg_item *items)
{
    run(ledger, (struct lg_event){.kind = LG_SUBMITTED, .item = items});
}

/* --- events --- */

static void on_wake(struct cg_timer *timer)
{
    struct lg_ledger *ledger =
        (struct lg_ledger *)((char *)timer - offsetof(struct lg_ledger, wake));

    run(ledger, (struct lg_event){.kind = LG_TIME});
}

static void say_failed(struct lg_ledger *ledger, enum lg_event_kind kind, cg_err err)
{
    static const char *const steps[] = {
        [LG_RESUMED] = "resume",
        [LG_APPENDED] = "append",
        [LG_SIGNED] = "sign",
        [LG_PUBLISHED] = "publish",
    };

    cg_log(ledger->setup.log, ERROR, store_failed, CG_STR("role", "ledger"),
           CG_STR("step", steps[kind]), CG_ERR(err), CG_STR("why", cg_store_why(ledger->writer)));
}

/* The note goes from hand to hand: made by a worker, published from here, then shown to all. */
static void take_note(struct lg_ledger *ledger, struct sign *sign)
{
    cg_buf_done(&ledger->note);
    ledger->note = sign->note;
    sign->note = (struct cg_buf){0};
}

static void show_note(struct lg_ledger *ledger)
{
    cg_buf_done(&ledger->published);
    ledger->published = ledger->note;
    ledger->note = (struct cg_buf){0};
    cg_log(ledger->setup.log, INFO, checkpoint_published, CG_UINT("size", ledger->batch.head.size),
           CG_HEX("root", cg_hash_span(&ledger->batch.head.root)));
}

static void on_call(void *owner, struct cg_call *call)
{
    struct lg_ledger *ledger = owner;
    struct lg_event event = {.kind = (enum lg_event_kind)call->tag, .err = call->err};
    void *work = cg_job_work(call);

    if (!work && event.err == CG_OK)
        event.err = CG_INTERNAL;
    if (event.err != CG_OK) {
        say_failed(ledger, event.kind, event.err);
    } else if (event.kind == LG_SIGNED) {
        take_note(ledger, work);
    } else {
        event.has_head = ((struct write *)work)->has_head;
        event.size = ((struct write *)work)->size;
        if (event.kind == LG_PUBLISHED)
            show_note(ledger);
    }
    run(ledger, event);
}

cg_err lg_run_begin(struct lg_ledger *ledger)
{
    const struct lg_options *options = ledger->setup.options;
    const struct lg_pace pace = {
        .interval_ms = options->publish_interval_ms,
        .heartbeat_ms = options->heartbeat_ms,
        .retry_ms = 1000,
        .queue_max = (size_t)options->queue,
        .queue_bytes = 64u << 20,
        .batch_max = LG_BATCH_MAX_ITEMS,
    };

    lg_sequence_init(&ledger->sequence, &pace, cg_loop_mono(ledger->setup.loop));
    cg_timer_init(&ledger->wake, on_wake);
    CG_TRY(cg_slot_open(ledger->setup.loop, on_call, ledger, &ledger->ticket));
    run(ledger, (struct lg_event){.kind = LG_TIME});
    return CG_OK;
}

void lg_run_end(struct lg_ledger *ledger)
{
    if (ledger->ticket.slot || ledger->ticket.generation)
        cg_slot_end(ledger->setup.loop, ledger->ticket);
    cg_loop_unset(ledger->setup.loop, &ledger->wake);
    lg_sequence_done(&ledger->sequence);
}
