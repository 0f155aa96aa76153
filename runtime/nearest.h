/* nearest.h: the word somebody probably meant. */
#ifndef CG_RUNTIME_NEAREST_H
#define CG_RUNTIME_NEAREST_H
#include <httpcg/base.h>

/* How many words are compared, and up to which length. */
#define CG_NEAREST_MAX_BYTES 40

/* cg_nearest_distance counts the letters to insert, drop, change or swap with their neighbour to
 * make a into b; longer than CG_NEAREST_MAX_BYTES is as far as can be. Case does not count. */
unsigned cg_nearest_distance(struct cg_span a, struct cg_span b);
/* cg_nearest gives the word nearest to what was written if it may have been meant (a third of its
 * letters differ at most, or one begins the other), else NULL. */
const char *cg_nearest(struct cg_span written, const char *const *words, size_t n_words);

#endif
