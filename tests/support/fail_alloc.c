#include "tests/support/fail_alloc.h"

#include <openssl/crypto.h>
#include <stdlib.h>

/* volatile: compilers know malloc and are sure that it changes no variable of the program. */
static volatile size_t left; /* 0: nothing fails */
static volatile bool failed;

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

/* A shared OpenSSL is linked already and asks the C library; it is told to ask here. */
static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return __wrap_malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return realloc(old, size);
}

static void openssl_free(void *old, const char *file, int line)
{
    (void)file, (void)line;
    free(old);
}

__attribute__((constructor)) static void take_over(void)
{
    CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}
