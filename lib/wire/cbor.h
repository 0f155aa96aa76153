/* cbor.h: the one reader and writer of deterministic CBOR (RFC 8949, 4.2.1), closed schemas only.
 *
 * The reader checks canonical form while it parses: shortest integers, definite lengths, map keys
 * sorted bytewise and unique.  A schema is read by asking for its keys in their canonical order
 * (shorter keys first, then bytewise), so an unknown, missing, doubled or misplaced key cannot be
 * passed over.  Errors are sticky, as in reader.h.  Text is printable ASCII.  No floats; tags and
 * null only where a schema names them. */
#ifndef CG_LIB_WIRE_CBOR_H
#define CG_LIB_WIRE_CBOR_H
#include "lib/wire/writer.h"

struct cg_cbor {
    struct cg_span left;
    cg_err err;
};

enum cg_cbor_type {
    CG_CBOR_UINT = 0,
    CG_CBOR_NINT = 1,
    CG_CBOR_BYTES = 2,
    CG_CBOR_TEXT = 3,
    CG_CBOR_ARRAY = 4,
    CG_CBOR_MAP = 5,
    CG_CBOR_TAG = 6,
    CG_CBOR_SIMPLE = 7, /* false, true, null */
    CG_CBOR_END = 8,    /* nothing left, or a failure before */
};

struct cg_cbor cg_cbor_of(struct cg_span wire);
/* cg_cbor_peek tells the next item's type without reading it. */
enum cg_cbor_type cg_cbor_peek(const struct cg_cbor *r);
uint64_t cg_cbor_uint(struct cg_cbor *r);
/* cg_cbor_int reads an integer of either sign that fits 64 bits. */
int64_t cg_cbor_int(struct cg_cbor *r);
/* cg_cbor_bytes borrows a byte string of at most max bytes. */
struct cg_span cg_cbor_bytes(struct cg_cbor *r, size_t max);
/* cg_cbor_bytes_n borrows a byte string of exactly n bytes; NULL after a failure. */
const uint8_t *cg_cbor_bytes_n(struct cg_cbor *r, size_t n);
void cg_cbor_hash(struct cg_cbor *r, struct cg_hash *out);
/* cg_cbor_text borrows a text of at most max bytes. */
struct cg_span cg_cbor_text(struct cg_cbor *r, size_t max);
/* cg_cbor_text_any is the same for the one text that is not printable ASCII, a signed note; whoever
 * reads the note checks its characters. */
struct cg_span cg_cbor_text_any(struct cg_cbor *r, size_t max);
bool cg_cbor_bool(struct cg_cbor *r);
/* cg_cbor_null reads a null where the next item is one, and tells so. */
bool cg_cbor_null(struct cg_cbor *r);
/* cg_cbor_array and cg_cbor_map open a container and give its number of items or pairs. */
size_t cg_cbor_array(struct cg_cbor *r, size_t min, size_t max);
size_t cg_cbor_map(struct cg_cbor *r, size_t min, size_t max);
void cg_cbor_tag(struct cg_cbor *r, uint64_t tag);
/* cg_cbor_key reads a key that must come next; CG_SCHEMA where another stands there. */
void cg_cbor_key(struct cg_cbor *r, const char *name);
/* cg_cbor_key_maybe reads a key where it comes next, and tells so. The count given by cg_cbor_map
 * is what shows whether optional keys were left unread. */
bool cg_cbor_key_maybe(struct cg_cbor *r, const char *name);
/* cg_cbor_int_key reads an integer key, as COSE headers have (RFC 9052, 1.4). */
void cg_cbor_int_key(struct cg_cbor *r, int64_t key);
/* cg_cbor_item borrows the bytes of one whole item, checked to be canonical and at most
 * CG_CBOR_MAX_DEPTH deep. */
struct cg_span cg_cbor_item(struct cg_cbor *r);
/* cg_cbor_fail notes a failure found by the caller. */
void cg_cbor_fail(struct cg_cbor *r, cg_err err);
/* cg_cbor_end gives the first failure, or CG_EXTRA where input is left over. */
CG_MUST_USE cg_err cg_cbor_end(const struct cg_cbor *r);

/* The writer; whoever writes a map writes its keys in canonical order. */
void cg_cbor_put_uint(struct cg_writer *w, uint64_t v);
void cg_cbor_put_int(struct cg_writer *w, int64_t v);
void cg_cbor_put_bytes(struct cg_writer *w, struct cg_span bytes);
void cg_cbor_put_hash(struct cg_writer *w, const struct cg_hash *hash);
void cg_cbor_put_text(struct cg_writer *w, struct cg_span text);
/* cg_cbor_put_key writes a text key. */
void cg_cbor_put_key(struct cg_writer *w, const char *name);
void cg_cbor_put_array(struct cg_writer *w, size_t n_items);
void cg_cbor_put_map(struct cg_writer *w, size_t n_pairs);
void cg_cbor_put_tag(struct cg_writer *w, uint64_t tag);
void cg_cbor_put_bool(struct cg_writer *w, bool v);
void cg_cbor_put_null(struct cg_writer *w);

#endif
