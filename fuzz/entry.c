/* entry: what stands in the log, and what each entry does to the state map. */
#include "lib/merkle/entry.h"
#include "fuzz/fuzz.h"
#include "lib/base/limits.h"

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span wire = cg_fuzz_rest(in);
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);
    struct cg_entry entry;
    struct cg_entry_effect effect;

    MARK(entry);
    if (cg_entry_read(wire, &entry) != CG_OK) {
        UNTOUCHED(entry);
        MUST(cg_entry_effect(wire, CG_LIT("web-default"), &effect) != CG_OK);
        return;
    }
    MUST(wire.len <= CG_ENTRY_MAX_BYTES);
    MUST_OK(cg_entry_write(&entry, &w));
    MUST_SAME(cg_buf_span(out), wire);
    struct cg_span name = entry.kind == CG_ENTRY_POLICY ? CG_LIT("web-default") : CG_LIT("");
    if (cg_entry_effect(wire, name, &effect) == CG_OK && effect.has_change) {
        struct cg_hash value = effect.change.value;
        MUST(effect.map_kind && effect.map_id.len <= sizeof effect.id_room);
        MUST_OK(cg_entry_effect(wire, name, &effect));
        MUST(cg_hash_eq(&value, &effect.change.value));
    }
}
