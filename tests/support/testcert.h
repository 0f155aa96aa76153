/* testcert.h: certificates for tests, made anew in each run, so that no private key is a file. */
#ifndef CG_TESTS_TESTCERT_H
#define CG_TESTS_TESTCERT_H
#include <httpcg/base.h>

/* PEM; lives as long as the program. */
struct cg_testcert {
    struct cg_span chain;
    struct cg_span key;
};

/* A moment at which all of them are valid: they are from a year before to a year after. */
#define CG_TESTCERT_NOW ((struct cg_wall){INT64_C(1795366003)})

/* cg_testcert_self makes a self-signed P-256 certificate for one DNS name. */
struct cg_testcert cg_testcert_self(const char *name);
/* cg_testcert_ca makes a CA. */
struct cg_testcert cg_testcert_ca(void);
/* cg_testcert_by makes a certificate for one DNS name, issued by a CA of this file. */
struct cg_testcert cg_testcert_by(const struct cg_testcert *ca, const char *name);

#endif
