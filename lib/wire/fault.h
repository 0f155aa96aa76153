/* fault.h: why a check refused: what to answer, what to log, and which check it was. */
#ifndef CG_LIB_WIRE_FAULT_H
#define CG_LIB_WIRE_FAULT_H
#include "lib/wire/refusal.h"

struct cg_fault {
    enum cg_refusal refusal; /* outward: what the peer is told */
    cg_err err;              /* inward */
    const char *check;       /* as logs, metrics and --verbose name it */
};

/* cg_fault_set fills a fault (NULL: nowhere) and gives err back, so that a failing check is one
 * return. */
static inline cg_err cg_fault_set(struct cg_fault *fault, enum cg_refusal refusal, cg_err err,
                                  const char *check)
{
    if (fault)
        *fault = (struct cg_fault){refusal, err, check};
    return err;
}

#endif
