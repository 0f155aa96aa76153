// tlsls.json: a certificate in all its forms, and what must be refused.
import { ends, equal, holds, int, spliced, Suite } from '../harness.js';
import { H, hex, unhex } from '../proto/bytes.js';
import * as cbor from '../proto/cbor.js';
import * as cert from '../proto/cert.js';
import * as cose from '../proto/cose.js';
import { keyOf } from '../proto/hybrid.js';
import { nextOf, walletDocument } from '../proto/identity.js';

const suite = new Suite('tlsls');
export default suite;

const key = (data) => keyOf(unhex(data.identity_seed));
const expected = (data) => ({
    now: int(data.now), role: 'gateway', spki: unhex(data.spki), name: data.name, subjects: [data.did],
    walletDoc: unhex(data.wallet_doc), logIds: [data.log_id],
});
const verify = (data, wire) => cert.verify(cert.read(wire), expected(data));

suite.check('the certificate', [], (data) => {
    const logKey = keyOf(unhex(data.log_seed));
    equal(cert.logId(data.origin, logKey), data.log_id);
    equal(walletDocument(key(data), nextOf(keyOf(unhex(data.next_seed)))), data.wallet_doc);
    const one = cert.read(unhex(data.document));
    verify(data, unhex(data.document));
    holds(int(data.now) === one.issued_at, 'issued now');
    equal(one.transport.ed, hex(keyOf(unhex(data.transport_seed)).ed));
    equal(one.transport.ml, hex(keyOf(unhex(data.transport_seed)).ml));
    equal(one.subject_did, data.did);
    equal(one.spki[0], data.spki);
    equal(one.names[0], data.name);
    equal(one.bpi_anchor, data.bpi_anchor);
    equal(cert.commitment('tlsls', unhex(data.payload_without_anchor)), data.commitment);
    equal(cert.anchorOf(unhex(data.log_id), unhex(data.commitment)), data.bpi_anchor);
    equal(cert.withoutAnchor(unhex(data.payload)), data.payload_without_anchor);
    equal(one.document.payload, data.payload);
    equal(one.document.body, data.body_protected);
    equal(H(cose.signedByEd25519(one.document)), data.sig_structure_ed25519_sha256);
    equal(H(cose.signedByMlDsa(one.document)), data.sig_structure_mldsa87_sha256);
    equal(one.fingerprint, data.fingerprint);
    equal(cert.referenceOf(one), data.reference);
    // An object's members have no order; an implementation may print them in its own.
    const view = JSON.parse(data.json);
    equal(JSON.stringify(sorted(view)), JSON.stringify(sorted(cert.jsonView(one))), 'JSON view');
}, {
    only: [
        'now', 'identity_seed', 'next_seed', 'transport_seed', 'log_seed', 'origin', 'log_id', 'did', 'wallet_doc', 'spki',
        'name', 'commitment', 'bpi_anchor', 'payload_without_anchor', 'payload', 'body_protected',
        'sig_structure_ed25519_sha256', 'sig_structure_mldsa87_sha256', 'document', 'fingerprint', 'reference', 'json',
    ],
});
const sorted = (view) => Object.fromEntries(Object.entries(view).sort());

suite.check('the same with something unsigned beside it', ['with_unsigned_sha256'], (v, data) => {
    const document = cose.read(unhex(data.document), 'tlsls');
    const staple = new TextEncoder().encode('staple');
    equal(H(cose.write(document, { wallet_doc: unhex(data.wallet_doc), staple })), v);
});

// Another issuer than the subject, an anchor that is none: malformed, which has more than one name.
const ALSO = { MISMATCH: ['MALFORMED'] };
suite.each('signed rightfully:', ['resigned'], (v, data) => {
    const document = cose.read(unhex(data.document), 'tlsls');
    document.payload = spliced(document.payload, v);
    const signature = unhex(v.signature);
    document.ed25519 = signature.slice(0, 64);
    document.mldsa87 = signature.slice(64);
    cose.verify(document, key(data));
    ends(v.error, () => verify(data, cose.write(document)), { also: ALSO });
});
suite.each(
    'refused:', ['bad'],
    (v, data) => ends(v.error, () => verify(data, spliced(unhex(data.document), v)), { also: ALSO }),
    { only: ['error'] },
);
