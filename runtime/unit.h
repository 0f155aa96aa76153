/* unit.h: numbers that say what they count: 500ms, 64KiB. */
#ifndef CG_RUNTIME_UNIT_H
#define CG_RUNTIME_UNIT_H
#include <httpcg/base.h>

struct cg_unit {
    const char *name;
    int64_t factor;
};

/* Largest first; a NULL name ends each. Milliseconds and bytes. */
extern const struct cg_unit cg_unit_durations[];
extern const struct cg_unit cg_unit_sizes[];

#define CG_UNIT_TEXT_BYTES 32

/* cg_unit_find gives the unit of that name, or NULL. */
const struct cg_unit *cg_unit_find(const struct cg_unit *units, struct cg_span name);
/* cg_unit_write writes n in the largest unit that leaves no rest; units NULL: the number alone.
 * Returns out. */
const char *cg_unit_write(const struct cg_unit *units, int64_t n,
                          char out[static CG_UNIT_TEXT_BYTES]);

#endif
