/* fuzz.h: what the fuzz targets share.
 *
 * A target is one file with one function, cg_fuzz_one: it reads its input; where that was good it
 * writes it again and compares, where it was not, the outputs must be untouched.  What a target
 * finds is an abort, which libFuzzer keeps with its input. */
#ifndef CG_FUZZ_FUZZ_H
#define CG_FUZZ_FUZZ_H
#include "lib/base/span.h"
#include "lib/wire/writer.h"

#include <httpcg/crypto.h>

/* MUST ends the program unless x is so; MUST_SAME shows where two texts part. */
#define MUST(x) ((x) ? (void)0 : cg_fuzz_stop(__FILE__, __LINE__, #x))
#define MUST_OK(call) cg_fuzz_ok((call), __FILE__, __LINE__, #call)
#define MUST_SAME(got, want) cg_fuzz_same((got), (want), __FILE__, __LINE__, #got)

/* MARK fills an output with a pattern; UNTOUCHED: a call that failed left it so. */
#define MARK(out) memset(&(out), 0xa5, sizeof(out))
#define UNTOUCHED(out) MUST(cg_fuzz_is_marked(&(out), sizeof(out)))

/* One input, front to back. Pieces are copies in memory of exactly their size, so that a reader
 * that looks a byte too far is caught. */
struct cg_fuzz {
    struct cg_span left;
    struct cg_fuzz_block *blocks;
};

/* cg_fuzz_one is the target. */
void cg_fuzz_one(struct cg_fuzz *in);

uint8_t cg_fuzz_byte(struct cg_fuzz *in); /* 0 at the end */
struct cg_span cg_fuzz_rest(struct cg_fuzz *in);
/* cg_fuzz_line takes what stands before the next line feed, and that as well. */
struct cg_span cg_fuzz_line(struct cg_fuzz *in);
/* cg_fuzz_bytes takes n bytes, or as many as there are. */
struct cg_span cg_fuzz_bytes(struct cg_fuzz *in, size_t n);
/* cg_fuzz_room gives memory until the input is done with. */
void *cg_fuzz_room(struct cg_fuzz *in, size_t n);
/* cg_fuzz_buf gives an empty buffer likewise. */
struct cg_buf *cg_fuzz_buf(struct cg_fuzz *in);

/* cg_fuzz_crypto gives the one context. */
const struct cg_crypto *cg_fuzz_crypto(void);

_Noreturn void cg_fuzz_stop(const char *file, int line, const char *what);
void cg_fuzz_ok(cg_err err, const char *file, int line, const char *what);
void cg_fuzz_same(struct cg_span got, struct cg_span want, const char *file, int line,
                  const char *what);
bool cg_fuzz_is_marked(const void *at, size_t len);

#endif
