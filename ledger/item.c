#include "ledger/item.h"

#include <assert.h>
#include <stdlib.h>

struct lg_item *lg_item_new(void)
{
    struct lg_item *item = calloc(1, sizeof *item);

    if (item)
        cg_arena_init(&item->arena, LG_ITEM_MAX_BYTES);
    return item;
}

void lg_item_free(struct lg_item *item)
{
    if (!item)
        return;
    assert(!item->waiters);
    cg_arena_done(&item->arena);
    free(item);
}

void lg_items_free(struct lg_item *items)
{
    while (items) {
        struct lg_item *next = items->next;

        lg_item_free(items);
        items = next;
    }
}

size_t lg_item_size(const struct lg_item *item)
{
    return sizeof *item + item->arena.held;
}

void lg_wait(struct lg_item *item, struct lg_waiter *waiter)
{
    waiter->item = item;
    waiter->prev = NULL;
    waiter->next = item->waiters;
    if (waiter->next)
        waiter->next->prev = waiter;
    item->waiters = waiter;
}

void lg_wait_end(struct lg_waiter *waiter)
{
    if (!waiter->item)
        return;
    if (waiter->prev)
        waiter->prev->next = waiter->next;
    else
        waiter->item->waiters = waiter->next;
    if (waiter->next)
        waiter->next->prev = waiter->prev;
    waiter->item = NULL;
}
