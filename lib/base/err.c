#include <httpcg/err.h>

static const struct {
    const char *name;
    const char *text;
    enum cg_fault_class fault;
} errors[] = {
#define X(name, fault, text) {#name, text, CG_FAULT_##fault},
    CG_ERR_LIST(X)
#undef X
};

static size_t place(cg_err err)
{
    return (size_t)err < CG_ERR_COUNT ? (size_t)err : (size_t)CG_INTERNAL;
}

const char *cg_err_name(cg_err err)
{
    return errors[place(err)].name;
}

const char *cg_err_text(cg_err err)
{
    return errors[place(err)].text;
}

enum cg_fault_class cg_err_fault(cg_err err)
{
    return errors[place(err)].fault;
}

const char *cg_version(void)
{
    return HTTPCG_VERSION;
}
