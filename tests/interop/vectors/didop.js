// didop.json: chains of operations on a DID's keys.
import { ends, equal, holds, int, Suite } from '../harness.js';
import { H, hex, unhex } from '../proto/bytes.js';
import * as cbor from '../proto/cbor.js';
import * as cose from '../proto/cose.js';
import { keyOf, signEd25519, signMl87 } from '../proto/hybrid.js';
import { addressOf, nextOf, readWalletDoc, walletDocument } from '../proto/identity.js';

const suite = new Suite('didop');
export default suite;

const keys = (data) => data.seeds.map((seed) => keyOf(unhex(seed)));
const chainOf = (data, names) => {
    for (const name of names) holds(Object.hasOwn(data.documents, name), `document ${name}`);
    const inception = unhex(data.inception);
    return names.length === 0 ? inception : cbor.write([inception, ...names.map((name) => unhex(data.documents[name]))]);
};

suite.check('the seeds', ['seeds'], (v, data) => {
    const [first, ...later] = keys(data);
    equal(walletDocument(first, nextOf(later[0])), data.inception);
    // Each operation's keys are those of the next seed, committed to by the one before.
    ['one', 'two', 'three'].forEach((name, i) => {
        const op = cbor.read(unhex(data.payloads[name]));
        equal(op.get('ed25519'), hex(later[i].ed));
        equal(op.get('next'), hex(nextOf(later[i + 1] ?? later[i])));
    });
});
suite.check("the first key's halves", ['ed_seed'], (v, data) => equal(keys(data)[0].edSeed, v));
suite.check("the first key's other half", ['ml_seed'], (v, data) => equal(keys(data)[0].mlSeed, v));
suite.check('the inception document', ['inception'], (v, data) => {
    equal(H(unhex(v)), data.inception_sha256);
    equal(readWalletDoc(unhex(v)).did, data.did);
});
suite.check('its hash', ['inception_sha256'], (v, data) => equal(H(unhex(data.inception)), v));
suite.check('its DID', ['did'], (v, data) => equal(`did:bpi:${addressOf(keys(data)[0], nextOf(keys(data)[1]))}`, v));
suite.check('the body header', ['body_protected'], (v) => equal(cose.bodyProtected('didop'), v));

suite.each('payload', ['payloads'], (v, data) => {
    const name = Object.keys(data.payloads).find((one) => data.payloads[one] === v);
    equal(cose.read(unhex(data.documents[name]), 'didop', []).payload, v);
});
for (const [name, i] of [['one', 1], ['two', 2], ['three', 3]])
    suite.check(`document ${name}, signed again`, ['documents', name], (v, data) => {
        const document = cose.read(unhex(v), 'didop', []);
        const key = keys(data)[i];
        document.ed25519 = signEd25519(key.edSeed, cose.signedByEd25519(document));
        document.mldsa87 = signMl87(key.mlSecret, cose.signedByMlDsa(document));
        equal(cose.write(document), v);
    });
suite.each('document', ['documents'], (v, data) => {
    const name = Object.keys(data.documents).find((one) => data.documents[one] === v);
    const chain = data.good.find((one) => one.chain.includes(name));
    if (chain) readWalletDoc(chainOf(data, chain.chain));
}, { only: [] });
for (const name of ['off', 'last', 'burn'])
    suite.check(`document ${name}`, ['documents', name], (v, data) => {
        readWalletDoc(chainOf(data, data.good.find((one) => one.chain.includes(name)).chain));
    });

suite.each('chain', ['good'], (v, data) => {
    const wire = chainOf(data, v.chain);
    equal(H(wire), v.wallet_doc_sha256);
    const state = readWalletDoc(wire);
    equal(state.did, data.did);
    equal(state.newest, v.newest);
    equal(state.seq, String(int(v.seq)));
    equal(state.ed, v.ed25519);
    equal(state.next, v.next);
    equal(state.deactivated ? 'yes' : 'no', v.deactivated);
});
suite.each('refused:', ['bad'], (v, data) => ends(v.error, () => readWalletDoc(chainOf(data, v.chain))), { only: ['error'] });
