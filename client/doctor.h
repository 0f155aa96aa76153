/* doctor.h: what may be wrong with an installation: findings, and who looks for them.
 *
 * doctor.c looks at this machine, its wallet and its agent; doctor_far.c at whom is believed, and
 * whether they are there. */
#ifndef CG_CLIENT_DOCTOR_H
#define CG_CLIENT_DOCTOR_H
#include "client/wallet.h"

enum cl_finding {
    CL_GOOD,
    CL_REMARK, /* works, but should be known */
    CL_BAD,
};

struct cl_doctor {
    struct cl_run *run;
    json_t *list;
    unsigned n_bad;
};

/* cl_find tells one finding: what was looked at, how it is, what to do (or NULL). */
void cl_find(struct cl_doctor *d, enum cl_finding finding, const char *what, const char *remedy,
             const char *format, ...) __attribute__((format(printf, 5, 6)));
/* cl_find_failure tells what a function of the client's said when it failed; it was told to keep it
 * to itself. */
void cl_find_failure(struct cl_doctor *d, const char *what);

/* cl_look_at_trust opens the trust file; false: there is nobody to ask. */
bool cl_look_at_trust(struct cl_doctor *d);
/* cl_look_at_services asks its registries, and the ledger. */
void cl_look_at_services(struct cl_doctor *d);
/* cl_look_at_name looks a name up, and its gateway's certificate and clock. */
void cl_look_at_name(struct cl_doctor *d, const char *word);

#endif
