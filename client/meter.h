/* meter.h: the progress of a long transfer, on a terminal only. */
#ifndef CG_CLIENT_METER_H
#define CG_CLIENT_METER_H
#include "client/command.h"

struct cl_meter {
    FILE *to;                     /* NULL: nothing is shown */
    int64_t up_total, down_total; /* -1: nobody knows */
    struct cg_mono began, shown;
    bool was_shown;
};

/* cl_meter_begin decides whether there is one: standard error is a terminal, the answer goes
 * elsewhere, and nobody asked for silence. */
void cl_meter_begin(struct cl_run *run, bool is_body_on_terminal, struct cg_mono now,
                    struct cl_meter *out);
/* cl_meter_show shows where it stands, at most four times a second. */
void cl_meter_show(struct cl_meter *meter, uint64_t up, uint64_t down, struct cg_mono now);
/* cl_meter_end clears the line. */
void cl_meter_end(struct cl_meter *meter);

#endif
