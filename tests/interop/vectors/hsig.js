// hsig.json: hybrid signatures alone and in batches, and keys that must not be used.
import { ends, equal, holds, int, Suite } from '../harness.js';
import { ascii, concat, H, unhex } from '../proto/bytes.js';
import * as cbor from '../proto/cbor.js';
import {
    batchMessage, batchVerify, hsigContext, hsigSign, hsigText, hsigVerify, keyOf, leafHash, usableKey,
} from '../proto/hybrid.js';
import { headOf } from '../proto/merkle.js';

const suite = new Suite('hsig');
export default suite;

const key = (data) => keyOf(unhex(data.seed));
const message = (i) => ascii(`message ${i}`);

suite.check('the key is the seed\'s', ['seed'], (v, data) => equal(key(data).ed, data.ed25519));
suite.check('its Ed25519 half', ['ed25519'], (v, data) => equal(key(data).ed, v));
suite.check('its ML-DSA half', ['mldsa87'], (v, data) => equal(key(data).ml, v));
suite.check('the other key signed what is bad by another', ['other_seed'], (v, data) => {
    const bad = data.bad.find((one) => one.why === 'of another key');
    hsigVerify(keyOf(unhex(v)), bad.dom, unhex(bad.message), unhex(bad.signature));
});

suite.each('signature', ['good'], (v, data) => {
    const m = unhex(v.message);
    equal(hsigText(v.dom, m), v.text);
    equal(hsigContext(v.dom), v.context);
    hsigVerify(key(data), v.dom, m, unhex(v.signature));
    equal(hsigSign(key(data), v.dom, m), v.signature);
});
suite.each(
    'refused:', ['bad'],
    (v, data) => ends(v.error, () => hsigVerify(key(data), v.dom, unhex(v.message), unhex(v.signature))),
    { only: ['error'] },
);

suite.each('batch', ['batch'], (v, data) => {
    const count = int(v.count);
    const leaves = Array.from({ length: count }, (_, i) => leafHash(message(i)));
    const root = headOf(leaves);
    equal(root, v.root);
    equal(batchMessage(root, count), v.signed);
    hsigVerify(key(data), 'sapi-response', unhex(v.signed), unhex(v.signature));
    holds(v.proofs.length >= Math.min(count, 3), 'proofs');
    for (const proof of v.proofs) {
        const index = int(proof.index);
        equal(leaves[index], proof.leaf);
        const wire = cbor.write([unhex(v.signature), index, count, proof.path.map((one) => unhex(one))]);
        equal(H(wire), proof.wire_sha256);
        batchVerify(key(data), 'sapi-response', message(index), wire);
    }
});
suite.check('the signature of the bad batches is a good one', ['batch_bad'], (v, data) => {
    const good = v.cases.find((one) => one.error === 'OK');
    const wire = concat(unhex(good.head), cbor.write(unhex(v.signature)), unhex(good.tail));
    batchVerify(key(data), 'sapi-response', unhex(v.message), wire);
}, { only: ['signature', 'message'] });
suite.each(
    'batch:', ['batch_bad', 'cases'],
    (v, data) => {
        const wire = concat(unhex(v.head), cbor.write(unhex(data.batch_bad.signature)), unhex(v.tail));
        ends(v.error, () => batchVerify(key(data), 'sapi-response', unhex(data.batch_bad.message), wire));
    },
    { only: ['error'] },
);

// Neither is there a near miss: a bit more or less makes most of them keys like any other.
suite.each('refused key', ['ed25519_bad_keys'], (v) => holds(!usableKey(unhex(v, 32)), 'a key that must be refused'));
