#include "runtime/wheel.h"

#include <assert.h>

static int64_t slot_of(struct cg_mono t)
{
    return t.us / CG_WHEEL_SLOT_US;
}

static struct cg_timer *head_of(struct cg_wheel *wheel, int64_t slot)
{
    return &wheel->slots[(uint64_t)slot % CG_WHEEL_SLOTS];
}

static void link_into(struct cg_timer *head, struct cg_timer *timer)
{
    timer->next = head;
    timer->prev = head->prev;
    head->prev->next = timer;
    head->prev = timer;
}

static void unlink_from(struct cg_timer *timer)
{
    timer->prev->next = timer->next;
    timer->next->prev = timer->prev;
    timer->next = timer->prev = NULL;
}

/* Files under the slot after the one that holds due, so that a timer is never early; what is due
 * beyond the wheel's reach goes to the farthest slot, from where it is filed again. */
static void file_timer(struct cg_wheel *wheel, struct cg_timer *timer)
{
    int64_t slot = slot_of(timer->due) + 1;

    if (slot <= wheel->at)
        slot = wheel->at + 1;
    if (slot > wheel->at + CG_WHEEL_SLOTS - 1)
        slot = wheel->at + CG_WHEEL_SLOTS - 1;
    timer->filed = slot;
    link_into(head_of(wheel, slot), timer);
    wheel->n_filed++;
}

void cg_wheel_init(struct cg_wheel *wheel, struct cg_mono now)
{
    for (size_t i = 0; i < CG_WHEEL_SLOTS; i++)
        wheel->slots[i].next = wheel->slots[i].prev = &wheel->slots[i];
    wheel->at = slot_of(now);
    wheel->n_filed = 0;
}

/* Everything in the slot comes out first: what is filed again while it is worked off cannot meet
 * the loop again, and a timer that frees another one takes it out of this list like out of any. */
static void empty_slot(struct cg_wheel *wheel, int64_t slot, struct cg_mono now)
{
    struct cg_timer *head = head_of(wheel, slot);
    struct cg_timer due;

    if (head->next == head)
        return;
    due.next = head->next;
    due.prev = head->prev;
    due.next->prev = &due;
    due.prev->next = &due;
    head->next = head->prev = head;

    while (due.next != &due) {
        struct cg_timer *timer = due.next;

        unlink_from(timer);
        wheel->n_filed--;
        if (timer->due.us == INT64_MAX)
            continue; /* was set and then called off */
        if (!cg_mono_is_due(timer->due, now)) {
            file_timer(wheel, timer); /* had been moved to later */
            continue;
        }
        timer->due = CG_NEVER;
        timer->fire(timer);
    }
}

void cg_wheel_turn(struct cg_wheel *wheel, struct cg_mono now)
{
    int64_t last = slot_of(now);

    /* After a long sleep every slot is visited once, not once for each round missed. */
    if (last - wheel->at > CG_WHEEL_SLOTS)
        wheel->at = last - CG_WHEEL_SLOTS;
    while (wheel->at < last) {
        wheel->at++;
        empty_slot(wheel, wheel->at, now);
    }
}

void cg_timer_init(struct cg_timer *timer, void (*fire)(struct cg_timer *timer))
{
    *timer = (struct cg_timer){.due = CG_NEVER, .fire = fire};
}

void cg_timer_set(struct cg_wheel *wheel, struct cg_timer *timer, struct cg_mono due)
{
    timer->due = due;
    if (timer->next) {
        if (slot_of(due) + 1 >= timer->filed)
            return; /* the wheel will see when it comes by */
        unlink_from(timer);
        wheel->n_filed--;
    }
    if (due.us != INT64_MAX)
        file_timer(wheel, timer);
}

void cg_timer_done(struct cg_wheel *wheel, struct cg_timer *timer)
{
    timer->due = CG_NEVER;
    if (timer->next) {
        unlink_from(timer);
        assert(wheel->n_filed > 0);
        wheel->n_filed--;
    }
}

struct cg_mono cg_mono_after(struct cg_mono t, int64_t ms)
{
    int64_t us;

    if (__builtin_mul_overflow(ms, 1000, &us) || __builtin_add_overflow(t.us, us, &us))
        return CG_NEVER;
    return (struct cg_mono){us};
}

struct cg_mono cg_mono_earlier(struct cg_mono a, struct cg_mono b)
{
    return a.us < b.us ? a : b;
}
