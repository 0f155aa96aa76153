/* json.h: the one reader and writer of the protocol's JSON, closed schemas only (RFC 8259,
 * narrowed).
 *
 * Strings are printable ASCII without escapes: nothing the protocol defines needs one, and a
 * backslash would give a value two spellings.  Numbers are unsigned integers up to 2^53-1 without
 * sign, fraction, exponent or leading zero.  Keys may come in any order, once each.  Header values
 * take only spaces between tokens, documents take any JSON white space. */
#ifndef CG_LIB_WIRE_JSON_H
#define CG_LIB_WIRE_JSON_H
#include "lib/wire/writer.h"

enum cg_json_kind {
    CG_JSON_TEXT,   /* *span gets the string's inside */
    CG_JSON_UINT,   /* *number */
    CG_JSON_BOOL,   /* *flag */
    CG_JSON_OBJECT, /* *span gets the value's bytes, braces included, syntax checked */
    CG_JSON_ARRAY,  /* *span likewise */
};

enum cg_json_form {
    CG_JSON_HEADER,   /* one line of HTTP */
    CG_JSON_DOCUMENT, /* a body or a file */
};

/* One member of a closed schema: where its value goes. A member with has is optional, and *has
 * tells whether it came. */
struct cg_json_member {
    const char *name;
    enum cg_json_kind kind;
    struct cg_span *span;
    uint64_t *number;
    bool *flag;
    bool *has;
};

#define CG_JSON_MEMBERS_MAX 32

/* cg_json_object reads an object that has all the members listed and no other.
 * Owns    spans borrow from text.
 * Errors  CG_SYNTAX, CG_SHORT, CG_EXTRA, CG_SCHEMA (unknown, doubled, missing member or another
 *         type), CG_TOO_LARGE (number, depth); the outputs are then undefined. */
CG_MUST_USE cg_err cg_json_object(struct cg_span text, enum cg_json_form form,
                                  const struct cg_json_member *members, size_t n_members);

/* An array of values of one kind, element by element:
 *   struct cg_json_array a = cg_json_array_of(span);
 *   while (cg_json_array_next(&a, CG_JSON_TEXT, &value)) ...;
 *   CG_TRY(a.err); */
struct cg_json_array {
    struct cg_span left;
    bool begun;
    bool ended;
    cg_err err;
};

struct cg_json_value {
    struct cg_span span;
    uint64_t number;
    bool flag;
};

struct cg_json_array cg_json_array_of(struct cg_span text);
bool cg_json_array_next(struct cg_json_array *a, enum cg_json_kind kind, struct cg_json_value *out);

/* cg_json_check tells whether text is one well-formed value, nested CG_JSON_MAX_DEPTH deep at most.
 * Doubled keys are found where an object is read by its schema. */
CG_MUST_USE cg_err cg_json_check(struct cg_span text, enum cg_json_form form);

/* cg_json_to_cbor writes the deterministic CBOR of the same data: what policies are hashed as.
 * Errors  as cg_json_object, and the writer's. */
CG_MUST_USE cg_err cg_json_to_cbor(struct cg_span text, struct cg_writer *out);

/* The writer: no spaces, members in the caller's order. A text that would need an escape is
 * CG_SYNTAX, sticky in the writer. */
void cg_json_put_text(struct cg_writer *w, struct cg_span text);
/* cg_json_put_key writes "name": and, unless it is the first of its object, a comma before. */
void cg_json_put_key(struct cg_writer *w, const char *name, bool is_first);
void cg_json_put_bool(struct cg_writer *w, bool v);

#endif
