/* native_own.h: what the files of native.h share. */
#ifndef CG_SESSION_NATIVE_OWN_H
#define CG_SESSION_NATIVE_OWN_H
#include "session/native.h"

/* cg_native_clock gives this gateway's time, as far as it is known. */
struct cg_wall cg_native_clock(const struct cg_native *native, struct cg_wall now);

#endif
