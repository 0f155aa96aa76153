/* try.h: the one macro that hides a return. */
#ifndef CG_LIB_BASE_TRY_H
#define CG_LIB_BASE_TRY_H
#include <httpcg/err.h>

/* CG_TRY hands an error up unchanged; whatever else shall happen on an error is written out. */
#define CG_TRY(call)                                                                               \
    do {                                                                                           \
        cg_err cg_try_err_ = (call);                                                               \
        if (cg_try_err_ != CG_OK)                                                                  \
            return cg_try_err_;                                                                    \
    } while (0)

/* CG_AUTO(noun) runs cg_<noun>_done when the variable leaves its scope. */
#define CG_AUTO(noun) __attribute__((cleanup(cg_##noun##_done)))

#endif
