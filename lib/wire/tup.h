/* tup.h: the injective encoding that every hash, MAC and signature input is built with.
 *
 *   TUP(label; f1..fn) = lp(label) || u8(n) || lp(f1) || ... || lp(fn)     lp(x) = u32(len) || x
 *   LIST(x1..xk)       = u16(k) || lp(x1) || ... || lp(xk), used as one field
 *
 * Label, count and lengths stand before what they describe, so two different tuples never give the
 * same bytes (docs/protocol/encodings.md). */
#ifndef CG_LIB_WIRE_TUP_H
#define CG_LIB_WIRE_TUP_H
#include "lib/base/span.h"
#include "lib/wire/writer.h"

struct cg_tup {
    struct cg_writer *w;
    unsigned left; /* fields still to come */
};

/* cg_tup_begin writes label and count; exactly n_fields fields and cg_tup_end must follow. */
struct cg_tup cg_tup_begin(struct cg_writer *w, const char *label, uint8_t n_fields);
void cg_tup_bytes(struct cg_tup *t, struct cg_span bytes);
void cg_tup_text(struct cg_tup *t, const char *text);
void cg_tup_hash(struct cg_tup *t, const struct cg_hash *hash);
void cg_tup_u8(struct cg_tup *t, uint8_t v);
void cg_tup_u16(struct cg_tup *t, uint16_t v);
void cg_tup_u32(struct cg_tup *t, uint32_t v);
void cg_tup_u64(struct cg_tup *t, uint64_t v);
/* cg_tup_list writes LIST(items) as one field; n_items is at most 65 535. */
void cg_tup_list(struct cg_tup *t, const struct cg_span *items, size_t n_items);
/* cg_tup_open begins a field of len bytes that the caller writes to the writer itself. */
void cg_tup_open(struct cg_tup *t, size_t len);
/* cg_tup_end gives the writer's first failure. */
CG_MUST_USE cg_err cg_tup_end(const struct cg_tup *t);

#endif
