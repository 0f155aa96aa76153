/* base.h: the few types every other header speaks.
 *
 * A span borrows bytes, a hash is 32 of them, a secret is 32 that must be wiped, and there are two
 * kinds of time which do not mix: civil time for validity, monotonic time for deadlines.  Nothing
 * here allocates or does I/O. */
#ifndef CG_BASE_H
#define CG_BASE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CG_MUST_USE __attribute__((warn_unused_result))
#define CG_API __attribute__((visibility("default")))
#else
#define CG_MUST_USE
#define CG_API
#endif

#define CG_HASH_BYTES 32

/* Borrowed bytes: never owns, never ends in NUL. */
struct cg_span {
    const uint8_t *at;
    size_t len;
};

/* A SHA-256 value. */
struct cg_hash {
    uint8_t bytes[CG_HASH_BYTES];
};

/* 32 secret bytes: compared only by cg_secret_eq, wiped by cg_secret_done, never logged. */
struct cg_secret {
    uint8_t bytes[32];
};

/* Civil time, Unix seconds. */
struct cg_wall {
    int64_t s;
};

/* Time since some fixed moment of this boot, in microseconds. */
struct cg_mono {
    int64_t us;
};

/* cg_version tells the library's version, as "major.minor.patch". */
CG_API const char *cg_version(void);

#ifdef __cplusplus
}
#endif
#endif
