/* field.h: the parts of HTTP field values that the protocol itself looks into (RFC 9110, 5). */
#ifndef CG_LIB_WIRE_FIELD_H
#define CG_LIB_WIRE_FIELD_H
#include "lib/wire/writer.h"

/* cg_field_trim cuts SP and HTAB from both ends (OWS). */
struct cg_span cg_field_trim(struct cg_span value);
/* Which characters tokens are made of (tchar; RFC 9110, 5.6.2); upper-case letters apart, as field
 * names here have none. */
enum cg_field_char { CG_FIELD_OTHER, CG_FIELD_TOKEN, CG_FIELD_UPPER };
enum cg_field_char cg_field_char(uint8_t c);

/* cg_field_is_token tells whether text is a token, as methods and field names are. */
bool cg_field_is_token(struct cg_span text);
/* cg_field_is_value tells whether a value has no control character but HTAB, as all that can be
 * sent on in either HTTP version. */
bool cg_field_is_value(struct cg_span value);

/* Walks a comma-separated list, empty members passed over (RFC 9110, 5.6.1):
 *   struct cg_span member, left = value;
 *   while (cg_field_next(&left, &member)) ... */
bool cg_field_next(struct cg_span *left, struct cg_span *out);
/* cg_field_lists tells whether a list of tokens has word among its members, ASCII case apart. */
bool cg_field_lists(struct cg_span value, const char *word);

/* cg_field_cookies writes all Cookie lines of a request as one, joined by "; ".
 * Source  RFC 9113, 8.2.3 */
void cg_field_cookies(const struct cg_span *lines, size_t n_lines, struct cg_writer *w);

/* cg_field_expect tells whether a value of Expect asks for 100-continue. Errors CG_SYNTAX: it asks
 * for anything else. */
CG_MUST_USE cg_err cg_field_expect(struct cg_span value, bool *out);

/* cg_digest_read takes the one sha-256 member out of a Content-Digest value; members of other
 * algorithms are passed over.
 * Errors  CG_SYNTAX, CG_CANONICAL, CG_SCHEMA (none, or two), CG_SHORT, CG_TOO_LARGE (not 32 bytes).
 * Source  RFC 9530, 2; RFC 9651, 3.2 */
CG_MUST_USE cg_err cg_digest_read(struct cg_span value, struct cg_hash *out);
#define CG_DIGEST_CHARS 54
/* cg_digest_write writes "sha-256=:...:", CG_DIGEST_CHARS characters. */
void cg_digest_write(const struct cg_hash *digest, struct cg_writer *w);

#endif
