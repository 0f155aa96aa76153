/* role.h: role credentials that a wallet shows. */
#ifndef CG_CLIENT_ROLE_H
#define CG_CLIENT_ROLE_H
#include "client/command.h"

/* cl_creds_read reads the files of --cred into run->app, for grants to come. One that could not
 * count is told here, where its owner can do something about it: a gateway says nothing.
 * What is wrong is said; the return is an exit code. */
CG_MUST_USE int cl_creds_read(struct cl_run *run);

#endif
