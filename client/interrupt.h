/* interrupt.h: Ctrl-C, where something would be left half-done.
 *
 * Between catch and release a SIGINT, SIGTERM or SIGHUP ends whatever waits (cl_app_wait:
 * CANCELLED) in place of the process, so that it can clean up; the same signal a second time ends
 * the process at once. Everywhere else signals do what they always do. */
#ifndef CG_CLIENT_INTERRUPT_H
#define CG_CLIENT_INTERRUPT_H
#include "client/app.h"

/* cl_interrupt_catch begins; one that was told to be ignored, as by nohup, stays ignored. */
void cl_interrupt_catch(struct cl_app *app);
/* cl_interrupt_release ends it; what came meanwhile is still known. */
void cl_interrupt_release(void);
/* cl_interrupt_number gives the signal that came, or 0. */
int cl_interrupt_number(void);
/* cl_interrupt_clean lets waiting work once more, for cleaning up. */
void cl_interrupt_clean(void);
/* cl_interrupt_pending tells whether what waits has to end. */
bool cl_interrupt_pending(void);
/* cl_interrupt_end ends the process by the signal that came, as if nobody had caught it: a shell
 * then knows. Nothing where none came. */
void cl_interrupt_end(void);

#endif
