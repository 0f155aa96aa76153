#include "tests/support/fail_alloc.h"

static size_t left; /* 0: nothing fails */
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static bool fails(void)
{
    if (left == 0 || --left > 0)
        return false;
    failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void cg_fail_alloc_at(size_t n)
{
    left = n;
    failed = false;
}

bool cg_fail_alloc_off(void)
{
    left = 0;
    return failed;
}
