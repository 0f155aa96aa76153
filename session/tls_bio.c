/* tls_bio.c: OpenSSL's view of the bytes: it reads the span being fed and writes where the loop
 * collects. Nothing is kept in between, which BIO_s_mem would do at its largest size for as long as
 * the connection lives. */
#include <string.h>

#include "lib/base/span.h"
#include "session/tls_own.h"

static int read_fed(BIO *bio, char *out, size_t room, size_t *n)
{
    struct cg_tls *tls = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    *n = tls->in.len < room ? tls->in.len : room;
    if (*n == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(out, tls->in.at, *n);
    tls->in = cg_span_from(tls->in, *n);
    return 1;
}

static int write_out(BIO *bio, const char *bytes, size_t len, size_t *n)
{
    struct cg_tls *tls = BIO_get_data(bio);
    struct cg_buf *to = tls->out ? tls->out : &tls->pending;

    BIO_clear_retry_flags(bio);
    if (cg_buf_add(to, cg_span_of(bytes, len)) != CG_OK)
        return 0; /* fatal for the connection: a pull makes sure of room beforehand */
    *n = len;
    return 1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static int create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *cg_tls_bio_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "httpcg");

    if (!method)
        return NULL;
    if (BIO_meth_set_read_ex(method, read_fed) != 1 ||
        BIO_meth_set_write_ex(method, write_out) != 1 || BIO_meth_set_ctrl(method, control) != 1 ||
        BIO_meth_set_create(method, create) != 1) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}
