/* staple: what travels beside certificates and records, checked as the trust file of the vectors
 * has it. */
#include "lib/merkle/staple.h"
#include "fuzz/fuzz.h"
#include "lib/trust/trust.h"
#include "tests/support/vector.h"

#include <stdlib.h>

static struct cg_trust *trust;

static void forget(void)
{
    cg_trust_free(trust);
}

static void leaf(struct cg_fuzz *in, const struct cg_leaf_proof *proof)
{
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);
    struct cg_leaf_proof again = {0};
    struct cg_entry entry;

    cg_leaf_proof_put(&w, proof);
    struct cg_cbor r = cg_cbor_of(cg_buf_span(out));
    cg_leaf_proof_take(&r, &again);
    MUST_OK(cg_cbor_end(&r));
    MUST(again.index == proof->index && again.path.n == proof->path.n);
    MUST_SAME(again.entry, proof->entry);
    (void)!cg_entry_read(proof->entry, &entry);
}

static void verify(struct cg_span wire, const struct cg_staple *staple)
{
    struct cg_staple_ask asks[CG_STAPLE_MAP_MAX] = {
        {.kind = "reg", .id = CG_LIT("app/app.example.com")},
        {.kind = "did", .id = CG_LIT("vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb")},
        {.kind = "did", .id = CG_LIT("eisqrf7fgh6nuiikmb5hylpkesed5ougtzzi6gnnirwslqruobbsixqb")},
    };
    struct cg_ledger_view view = {
        .logs = trust->logs, .n_logs = trust->n_logs, .now = {1795366063}};
    struct cg_staple_facts facts;
    struct cg_checkpoint checkpoint;

    if (cg_staple_verify(wire, &view, staple->has_incl, asks, staple->n_map, &facts) != CG_OK) {
        MUST(facts.failed < CG_STAPLE_STEP_COUNT);
        return;
    }
    MUST_OK(cg_checkpoint_read(staple->note, &checkpoint));
    MUST(facts.head.size == checkpoint.size && cg_hash_eq(&facts.head.root, &checkpoint.root));
    MUST(facts.has_entry == staple->has_incl);
    MUST(!facts.has_entry || facts.entry_index < facts.head.size);
    MUST(staple->map_head.index == facts.head.size - 1);
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span wire = cg_fuzz_rest(in);
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);
    struct cg_staple staple;
    struct cg_map_proof proof;

    if (!trust) {
        MUST_OK(
            cg_trust_read(cg_fuzz_crypto(), cg_span_str(cg_vector("record:trust")), &trust, NULL));
        atexit(forget);
    }
    MARK(staple);
    if (cg_staple_read(wire, &staple) != CG_OK) {
        UNTOUCHED(staple);
        return;
    }
    MUST(wire.len <= CG_STAPLE_MAX_BYTES && staple.n_map <= CG_STAPLE_MAP_MAX);
    MUST_OK(cg_staple_write(&staple, &w));
    MUST_SAME(cg_buf_span(out), wire);
    leaf(in, &staple.map_head);
    if (staple.has_incl)
        leaf(in, &staple.incl);
    for (size_t i = 0; i < staple.n_map; i++)
        (void)!cg_map_proof_read(staple.map[i], &proof);
    verify(wire, &staple);
}
