// Signed documents: COSE_Sign with exactly two signatures (docs/protocol/cose.md).
import { ascii, H, need, same, TUP, wellFormed } from './bytes.js';
import * as cbor from './cbor.js';
import { verifyEd25519, verifyMl87 } from './hybrid.js';

const DOCUMENT_MAX = 96 * 1024;
const ED = cbor.write(new Map([[1, -19]]));
const ML = cbor.write(new Map([[1, -50]]));

export const bodyProtected = (type) =>
    cbor.write(
        new Map([
            [2, ['hsig']],
            [16, `application/${type}+cose`],
            ['hsig', [-19, -50]],
        ]),
    );

const toBeSigned = (document, signer) =>
    cbor.write(['Signature', document.body, signer, ascii(`httpcg-${document.type}/v1`), document.payload]);
export const signedByEd25519 = (document) => toBeSigned(document, ED);
export const signedByMlDsa = (document) => toBeSigned(document, ML);

function signatureOf(item, header, length) {
    const fits =
        Array.isArray(item) && item.length === 3 && item[0] instanceof Uint8Array && same(item[0], header) &&
        item[1] instanceof Map && item[1].size === 0 && cbor.bytes(length)(item[2]);
    wellFormed(fits, 'a signature of the document');
    return item[2];
}

// The parts of a document of that type; allowed: the names it may carry unsigned.
export function read(wire, type, allowed = ['wallet_doc', 'staple']) {
    wellFormed(wire.length <= DOCUMENT_MAX, 'document too large');
    const tagged = cbor.read(wire);
    wellFormed(tagged instanceof cbor.Tagged && tagged.tag === 98, 'no COSE_Sign');
    wellFormed(Array.isArray(tagged.item) && tagged.item.length === 4, 'COSE_Sign has four members');
    const [body, unprotected, payload, signatures] = tagged.item;
    wellFormed(body instanceof Uint8Array && same(body, bodyProtected(type)), 'body header');
    wellFormed(payload instanceof Uint8Array, 'payload');
    const nonEmpty = (x) => x instanceof Uint8Array && x.length > 0;
    const unsigned = cbor.members(unprotected, {}, Object.fromEntries(allowed.map((name) => [name, nonEmpty])));
    wellFormed(Array.isArray(signatures) && signatures.length === 2, 'two signatures');
    return {
        type,
        body,
        payload,
        unsigned,
        ed25519: signatureOf(signatures[0], ED, 64),
        mldsa87: signatureOf(signatures[1], ML, 4627),
    };
}

export function verify(document, key) {
    need(verifyEd25519(key.ed, signedByEd25519(document), document.ed25519), 'SIGNATURE', 'Ed25519');
    need(verifyMl87(key.ml, signedByMlDsa(document), document.mldsa87), 'SIGNATURE', 'ML-DSA');
}

export const objectDigest = (document) => H(TUP('httpcg-object/v1', document.body, document.payload));

export function write(document, unsigned = {}) {
    const { body, payload, ed25519, mldsa87 } = document;
    return cbor.write(
        new cbor.Tagged(98, [body, unsigned, payload, [[ED, {}, ed25519], [ML, {}, mldsa87]]]),
    );
}
