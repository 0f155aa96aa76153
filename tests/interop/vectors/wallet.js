// wallet.json: seeds, keys and addresses.
import { ends, equal, holds, spliced, Suite } from '../harness.js';
import { expand, extract, H, hex, need, same, TUP, unhex } from '../proto/bytes.js';
import { keyOf } from '../proto/hybrid.js';
import { addressOf, checkAddress, isDid, nextOf, readWalletDoc, walletDocument } from '../proto/identity.js';

const suite = new Suite('wallet');
export default suite;

const nextIn = (v) => (v.R === '' ? new Uint8Array(32) : nextOf(keyOf(unhex(v.R, 32))));

suite.each('generation:', ['generations'], (v) => {
    const key = keyOf(unhex(v.S, 32));
    const prk = extract('httpcg-wallet/v1', unhex(v.S));
    equal(prk, v.prk);
    equal(expand(prk, TUP('ed25519')), v.ed25519_seed);
    equal(expand(prk, TUP('ml-dsa-87')), v.mldsa87_seed);
    equal(key.ed, v.ed25519);
    equal(H(key.ml), v.mldsa87_sha256);
    const next = nextIn(v);
    equal(next, v.next);
    equal(H(TUP('httpcg-waddr/v1', key.ed, H(key.ml), next)), v.h);
    const address = addressOf(key, next);
    equal(address, v.waddr);
    equal(checkAddress(address), v.waddr);
    holds(isDid(`did:bpi:${v.waddr}`), 'DID');
    equal(H(walletDocument(key, next)), v.doc_sha256);
});
suite.check("the first generation's document", ['doc'], (v, data) => {
    const [first] = data.generations;
    equal(walletDocument(keyOf(unhex(first.S)), nextIn(first)), v);
    equal(readWalletDoc(unhex(v)).address, first.waddr);
});

// How an address is malformed is the reader's own business, its checksum included.
const also = { MISMATCH: ['MALFORMED'] };
suite.each('refused address:', ['addresses_bad'], (v) => ends(v.error, () => checkAddress(v.text), { also }), { only: ['error'] });
suite.each('refused DID:', ['dids_bad'], (v) => ends(v.error, () => need(isDid(v.text), 'MALFORMED'), { also }), { only: ['error'] });
suite.each('refused document:', ['docs_bad'], (v, data) => {
    const wire = spliced(unhex(data.doc), v);
    holds(!same(wire, unhex(data.doc)), `a change: ${hex(wire)}`);
    ends(v.error, () => readWalletDoc(wire));
}, { only: ['error'] });
