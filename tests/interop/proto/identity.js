// Wallet addresses, documents and the operations that change their keys (docs/protocol/identity.md).
import { base32, concat, H, need, same, TUP, u, unbase32, wellFormed } from './bytes.js';
import * as cbor from './cbor.js';
import * as cose from './cose.js';
import { usableKey } from './hybrid.js';

const NO_NEXT = new Uint8Array(32);

export const nextOf = (key) => H(TUP('httpcg-next/v1', key.ed, H(key.ml)));

export function addressOf(key, next) {
    const h = H(TUP('httpcg-waddr/v1', key.ed, H(key.ml), next));
    const check = H(TUP('httpcg-waddr-chk/v1', h, u(8, 1))).subarray(0, 2);
    return base32(concat(h, check, Uint8Array.of(1)));
}

export function checkAddress(address) {
    wellFormed(typeof address === 'string' && address.length === 56, 'length of an address');
    const raw = unbase32(address);
    const check = H(TUP('httpcg-waddr-chk/v1', raw.subarray(0, 32), u(8, 1)));
    wellFormed(raw[34] === 1 && same(raw.subarray(32, 34), check.subarray(0, 2)), 'checksum of an address');
    return address;
}

export function isDid(text) {
    try {
        return typeof text === 'string' && text.startsWith('did:bpi:') && !!checkAddress(text.slice(8));
    } catch {
        return false;
    }
}

export const walletDocument = (key, next) =>
    cbor.write({ v: 1, ed25519: key.ed, mldsa87: key.ml, next });

function readInception(wire) {
    const doc = cbor.members(cbor.read(wire), {
        v: cbor.oneOf(1),
        ed25519: cbor.bytes(32),
        mldsa87: cbor.bytes(2592),
        next: cbor.bytes(32),
    });
    return { ed: doc.ed25519, ml: doc.mldsa87, next: doc.next };
}

function readOperation(wire) {
    const document = cose.read(wire, 'didop', []);
    const op = cbor.members(cbor.read(document.payload), {
        v: cbor.oneOf(1),
        op: cbor.oneOf('rotate', 'deactivate'),
        did: isDid,
        seq: cbor.uint,
        next: cbor.bytes(32),
        prev: cbor.bytes(32),
        ed25519: cbor.bytes(32),
        mldsa87: cbor.bytes(2592),
    });
    return { ...op, key: { ed: op.ed25519, ml: op.mldsa87 }, document };
}

function apply(state, wire) {
    const op = readOperation(wire);
    need(!state.deactivated, 'REVOKED', 'an operation after the last');
    need(op.did === state.did && op.seq === state.seq + 1, 'PROOF', 'of another DID or place');
    need(same(op.prev, state.newest), 'PROOF', 'behind something else');
    if (same(state.next, NO_NEXT)) {
        need(op.op === 'deactivate', 'PROOF', 'no rotation was committed to');
        need(same(op.key.ed, state.ed) && same(op.key.ml, state.ml), 'PROOF', 'burnt by others');
    } else {
        need(same(nextOf(op.key), state.next), 'PROOF', 'keys that nobody committed to');
    }
    need(usableKey(op.key.ed), 'KEY');
    cose.verify(op.document, op.key);
    return {
        ...state,
        ...op.key,
        next: op.next,
        seq: op.seq,
        newest: H(op.document.payload),
        deactivated: op.op === 'deactivate',
    };
}

// What a wallet_doc proves: { did, address, ed, ml, next, seq, newest, deactivated }.
export function readWalletDoc(wire) {
    let chain = [wire];
    if (wire[0] !== 0xa4) {
        const items = cbor.read(wire);
        wellFormed(cbor.list(2, 9, cbor.bytes())(items), 'wallet_doc');
        chain = items;
    }
    const inception = readInception(chain[0]);
    need(usableKey(inception.ed), 'KEY');
    const address = addressOf(inception, inception.next);
    const first = {
        did: `did:bpi:${address}`,
        address,
        ...inception,
        seq: 0,
        newest: H(chain[0]),
        deactivated: false,
    };
    return chain.slice(1).reduce(apply, first);
}

// The present keys of the DID that did is, or why there are none.
export function prove(did, wire) {
    const state = readWalletDoc(wire);
    need(state.did === did, 'MISMATCH', `a document of ${state.did}`);
    need(!state.deactivated, 'REVOKED');
    return state;
}
