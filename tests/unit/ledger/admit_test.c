/* Admission against a store in memory: what only its own steps can show. */
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/roles.h"

#include "ledger/admit.h"
#include "ledger/append.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

#define OWNER 0x00
#define NEXT 0x20

static struct lg_rules rules(void)
{
    return (struct lg_rules){.crypto = cg_test_crypto()};
}

static struct lg_admission *gathered(struct cg_store *store, struct cg_span wire)
{
    const struct lg_rules r = rules();
    struct lg_admission *a = lg_admission_new(wire);

    CHECK_OK(lg_admit_read(&r, a));
    CHECK_OK(lg_admit_gather(&r, store, a));
    return a;
}

TEST(what_waits_for_its_signature_is_not_logged_yet)
{
    const struct lg_rules r = rules();
    struct lg_book book = {0};
    struct lg_batch batch;
    bool has_head;

    CHECK_OK(cg_store_open_memory(&book.store));
    lg_batch_init(&batch);
    struct lg_admission *first = gathered(book.store, cg_test_wallet(OWNER, NEXT));
    CHECK(!first->is_logged);
    CHECK_OK(lg_admit_judge(&r, (struct cg_wall){0}, first));
    CHECK_OK(lg_append(&book, first->item, true, (struct cg_wall){0}, &batch, &has_head));
    /* Nobody can be given a proof yet: it must go the long way, and is told its place there. */
    struct lg_admission *second = gathered(book.store, cg_test_wallet(OWNER, NEXT));
    CHECK(!second->is_logged);
    CHECK_OK(lg_admit_judge(&r, (struct cg_wall){0}, second));
    CHECK_OK(lg_publish(&book, &batch, CG_LIT("note")));
    lg_batch_done(&batch);
    lg_batch_init(&batch);
    CHECK_OK(lg_append(&book, second->item, false, (struct cg_wall){0}, &batch, &has_head));
    CHECK(!has_head && second->item->is_settled && second->item->err == CG_OK);
    CHECK_INT(second->item->index, 0);
    struct lg_admission *third = gathered(book.store, cg_test_wallet(OWNER, NEXT));
    CHECK(third->is_logged);
    CHECK_INT(third->index, 0);
    lg_admission_free(first);
    lg_admission_free(second);
    lg_admission_free(third);
    lg_batch_done(&batch);
    cg_store_free(book.store);
}

TEST(every_prefix_of_an_object_is_a_bad_request)
{
    const struct lg_rules r = rules();
    struct cg_span doc = cg_test_wallet(OWNER, NEXT);

    for (size_t n = 0; n < doc.len; n++) {
        struct lg_admission *a = lg_admission_new(cg_span_first(doc, n));

        CHECK_ERR(lg_admit_read(&r, a), CG_DENIED);
        CHECK_INT(a->refusal, CG_REFUSAL_BAD_REQUEST);
        lg_admission_free(a);
    }
}

SUITE(admit, T(what_waits_for_its_signature_is_not_logged_yet),
      T(every_prefix_of_an_object_is_a_bad_request))
