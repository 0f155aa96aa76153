/* exit.h: how the client ends: curl's numbers where curl has one, ours from 109 up.
 *
 * One list; --help, the manual page and the tests are made from it. */
#ifndef CG_CLIENT_EXIT_H
#define CG_CLIENT_EXIT_H
#include <httpcg/err.h>

/*    constant        number  sentence for people */
#define CL_EXIT_LIST(X)                                                                            \
    X(OK, 0, "everything that was asked for was done and verified")                                \
    X(SCHEME, 1, "a URL of another scheme than httpcg")                                            \
    X(USAGE, 2, "an option or a word that is not understood")                                      \
    X(URL, 3, "a malformed URL")                                                                   \
    X(NAME, 6, "a gateway's or server's host name has no address")                                 \
    X(CONNECT, 7, "no connection to the gateway or server")                                        \
    X(HTTP2, 16, "the HTTP connection broke its protocol")                                         \
    X(PARTIAL, 18, "the answer ended early")                                                       \
    X(STATUS, 22, "a status of 400 or above, with --fail or --fail-with-body")                     \
    X(WRITE, 23, "the answer could not be written")                                                \
    X(READ, 26, "a file or the body to send could not be read")                                    \
    X(MEMORY, 27, "out of memory")                                                                 \
    X(TIMEOUT, 28, "the time was over")                                                            \
    X(TLS, 35, "the TLS handshake failed")                                                         \
    X(EMPTY, 52, "the other side closed without an answer")                                        \
    X(SEND, 55, "sending failed")                                                                  \
    X(RECEIVE, 56, "receiving failed")                                                             \
    X(PEER, 60, "a registry's or ledger's TLS certificate was not verified")                       \
    X(TOO_LARGE, 63, "more than --max-filesize")                                                   \
    X(LATER, 109, "asked too often, or not available now: the same again later may do")            \
    X(UNRESOLVED, 110, "there is no such name: the registry proved it")                            \
    X(RECORD, 111, "the registry's answer failed a check")                                         \
    X(CERTIFICATE, 112, "the gateway's TLSLS certificate failed a check")                          \
    X(CHANNEL, 113, "the gateway did not prove that this connection is its own")                   \
    X(ANSWER, 114, "the answer is not what the gateway signed, or not signed at all")              \
    X(REFUSED, 115, "refused before the request was verified (the status line says why)")          \
    X(POLICY, 116, "refused by policy: this gateway, registry or ledger does not do it")           \
    X(LOG, 117, "the ledger contradicts itself or what was seen of it before")                     \
    X(ROLLBACK, 118, "an older state than the one seen before was shown")                          \
    X(IDENTITY, 119, "no wallet here, or an identity that is not known")                           \
    X(TRUST, 120, "the trust file is missing or malformed")                                        \
    X(KEY, 121, "a key file cannot be opened")                                                     \
    X(CLOCK, 122, "this machine's clock is too far off")                                           \
    X(DOCTOR, 123, "something is wrong with this installation")

enum cl_exit {
#define X(name, number, text) CL_EXIT_##name = number,
    CL_EXIT_LIST(X)
#undef X
};

/* cl_exit_text gives a number's sentence, or NULL where it is none of ours. */
const char *cl_exit_text(int number);
/* cl_exit_of gives the number for an error that no step has said more about. */
enum cl_exit cl_exit_of(cg_err err);

#endif
