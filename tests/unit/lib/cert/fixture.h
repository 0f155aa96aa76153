/* fixture.h: the certificate of the vectors, and what a verifier of it expects. */
#ifndef CG_TESTS_CERT_FIXTURE_H
#define CG_TESTS_CERT_FIXTURE_H
#include "lib/base/buf.h"
#include "lib/base/span.h"
#include "lib/cert/issue.h"
#include "tests/support/keys.h"

#define FIXTURE_GATEWAY 0x40
#define FIXTURE_GATEWAY_NEXT 0x60
#define FIXTURE_TRANSPORT 0x80
#define FIXTURE_LOG 0xa0
#define FIXTURE_NOW 1795366003
#define FIXTURE_NOTHING ((struct cg_span){NULL, 0})

/* fixture_ask is what the certificate of the vectors was made from; its pointers stay good. */
struct cg_cert_ask fixture_ask(void);
/* fixture_expect is what a client expects of it on its connection. */
struct cg_cert_expect fixture_expect(void);
/* fixture_wallet_doc is the gateway's. */
struct cg_span fixture_wallet_doc(void);
/* fixture_check_json compares the JSON view of the vectors' certificate, member by member. */
CG_MUST_USE cg_err fixture_check_json(struct cg_span json);

#endif
