/* secret.h: wiping, and comparing without telling where the difference is. */
#ifndef CG_LIB_BASE_SECRET_H
#define CG_LIB_BASE_SECRET_H
#include <httpcg/base.h>

/* cg_wipe overwrites memory in a way the compiler may not leave out. */
void cg_wipe(void *at, size_t len);
/* cg_secret_done wipes. */
void cg_secret_done(struct cg_secret *secret);
/* cg_secret_eq and cg_ct_eq take the same time wherever the difference is. */
bool cg_secret_eq(const struct cg_secret *a, const struct cg_secret *b);
bool cg_ct_eq(const void *a, const void *b, size_t len);

#endif
