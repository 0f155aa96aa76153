/* vector.h: known answers from tests/vectors/<set>.json, by path. */
#ifndef CG_TESTS_VECTOR_H
#define CG_TESTS_VECTOR_H
#include <httpcg/err.h>

/* cg_vector gives the string at a dotted path, such as "v1:wallet.ed25519" (file v1.json, object
 * wallet, member ed25519; a number picks from an array); the program stops where it is missing.
 * Owns    the result lives as long as the program; it ends in NUL. */
const char *cg_vector(const char *path);
/* cg_vector_hex is cg_vector, decoded from hex. */
struct cg_span cg_vector_hex(const char *path);
/* cg_vector_count tells how many members the array or object at a path has. */
size_t cg_vector_count(const char *path);
/* cg_vector_uint is cg_vector, a number in decimal digits. */
uint64_t cg_vector_uint(const char *path);
/* cg_vector_hash is cg_vector_hex, of 32 bytes. */
struct cg_hash cg_vector_hash(const char *path);
/* cg_vector_at writes a path as printf would; the text is good for the next seven calls. */
__attribute__((format(printf, 1, 2))) const char *cg_vector_at(const char *format, ...);
/* cg_vector_cut makes the change to good bytes that the object at path writes as at, remove,
 * insert.
 */
struct cg_span cg_vector_cut(struct cg_span good, const char *path);
/* cg_vector_expects tells whether err is the one that the object at path names as "error" ("OK" for
 * none), and prints its "why" where it is not. */
bool cg_vector_expects(const char *path, cg_err err);
/* cg_unhex decodes a literal; the program stops where it is malformed. */
struct cg_span cg_unhex(const char *hex);

#endif
