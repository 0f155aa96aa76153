#include "client/exit.h"

const char *cl_exit_text(int number)
{
    switch (number) {
#define X(name, value, text)                                                                       \
    case value:                                                                                    \
        return text;
        CL_EXIT_LIST(X)
#undef X
    default:
        return NULL;
    }
}

enum cl_exit cl_exit_of(cg_err err)
{
    switch (err) {
    case CG_OK:
        return CL_EXIT_OK;
    case CG_NO_MEMORY:
        return CL_EXIT_MEMORY;
    case CG_TIMEOUT:
        return CL_EXIT_TIMEOUT;
    case CG_UNREACHABLE:
        return CL_EXIT_CONNECT;
    case CG_TLS:
        return CL_EXIT_TLS;
    case CG_PROTOCOL:
        return CL_EXIT_HTTP2;
    case CG_CLOSED:
        return CL_EXIT_EMPTY;
    case CG_NOT_FOUND:
        return CL_EXIT_UNRESOLVED;
    case CG_ROLLBACK:
        return CL_EXIT_ROLLBACK;
    case CG_CONFLICT:
        return CL_EXIT_LOG;
    case CG_SKEW:
        return CL_EXIT_CLOCK;
    case CG_UNKNOWN:
        return CL_EXIT_IDENTITY;
    case CG_RATE:
    case CG_BUSY:
        return CL_EXIT_LATER;
    case CG_IO:
    case CG_STORE:
        return CL_EXIT_WRITE;
    default:
        return cg_err_fault(err) == CG_FAULT_POLICY ? CL_EXIT_POLICY : CL_EXIT_ANSWER;
    }
}
