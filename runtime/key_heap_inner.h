/* key_heap_inner.h: the heap without OpenSSL, for its tests. */
#ifndef CG_RUNTIME_KEY_HEAP_INNER_H
#define CG_RUNTIME_KEY_HEAP_INNER_H
#include "runtime/key_heap.h"

/* cg_key_heap_map makes the heap; once in a process. */
CG_MUST_USE cg_err cg_key_heap_map(size_t bytes);
/* cg_key_heap_has tells whether something lies in it. */
bool cg_key_heap_has(const void *at);
/* malloc, realloc and free, as OpenSSL asks for them. */
void *cg_key_heap_take(size_t n, const char *file, int line);
void *cg_key_heap_change(void *at, size_t n, const char *file, int line);
void cg_key_heap_give(void *at, const char *file, int line);

#endif
