/* reader.h: reads binary input front to back, and keeps its first failure.
 *
 * Each read gives zero or nothing once something failed, so that a parser reads like the layout it
 * parses and asks once, at the end, whether all went well. */
#ifndef CG_LIB_WIRE_READER_H
#define CG_LIB_WIRE_READER_H
#include <httpcg/err.h>

struct cg_reader {
    struct cg_span left;
    cg_err err;
};

struct cg_reader cg_reader_of(struct cg_span wire);
uint8_t cg_read_u8(struct cg_reader *r);
uint16_t cg_read_u16(struct cg_reader *r);
uint32_t cg_read_u32(struct cg_reader *r);
uint64_t cg_read_u64(struct cg_reader *r);
/* cg_read_bytes borrows the next n bytes. */
struct cg_span cg_read_bytes(struct cg_reader *r, size_t n);
/* cg_read_lp borrows a field that is led by its length as u32. */
struct cg_span cg_read_lp(struct cg_reader *r);
/* cg_reader_end gives the first failure, or CG_EXTRA where input is left over. */
CG_MUST_USE cg_err cg_reader_end(const struct cg_reader *r);

#endif
