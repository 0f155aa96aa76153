/* clock.h: the two clocks.  Whatever runs on a loop asks the loop instead (cg_loop_mono). */
#ifndef CG_RUNTIME_CLOCK_H
#define CG_RUNTIME_CLOCK_H
#include <httpcg/base.h>

/* cg_clock_mono reads the clock that nobody can set; it stands still while the machine sleeps. */
struct cg_mono cg_clock_mono(void);
/* cg_clock_wall reads civil time. */
struct cg_wall cg_clock_wall(void);

#endif
