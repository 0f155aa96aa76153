/* fail_alloc.h: lets the nth allocation from now on fail, in programs linked with
 * -Wl,--wrap=malloc,--wrap=calloc. What shared libraries allocate is not touched. */
#ifndef CG_TESTS_FAIL_ALLOC_H
#define CG_TESTS_FAIL_ALLOC_H
#include <stdbool.h>
#include <stddef.h>

/* cg_fail_alloc_at lets allocation n fail, counted from 1, and that one alone. */
void cg_fail_alloc_at(size_t n);
/* cg_fail_alloc_off lets all succeed; true when one had failed since cg_fail_alloc_at. */
bool cg_fail_alloc_off(void);

#endif
