// Ed25519 and ML-DSA-87, alone and together: HSIG, HSIG-B (docs/protocol/hsig.md).
import { ed25519 } from '@noble/curves/ed25519.js';
import { ml_dsa44, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ascii, concat, expand, extract, H, hex, need, same, sha512, TUP, u } from './bytes.js';
import * as cbor from './cbor.js';

const P = 2n ** 255n - 19n;
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;
export const littleEndian = (bytes) => BigInt('0x' + hex(Uint8Array.from(bytes).reverse()));

const SMALL_ORDER = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
];

// Verifications cost milliseconds, and the self-test asks for the same ones again and again.
const known = new Map();
function once(name, parts, verdict) {
    const key = name + hex(H(...parts.map((part) => concat(u(32, part.length), part))));
    if (!known.has(key)) known.set(key, verdict());
    return known.get(key);
}

export function usableKey(key) {
    const y = Uint8Array.from(key);
    y[31] &= 0x7f;
    return littleEndian(y) < P && !SMALL_ORDER.includes(hex(y));
}

// Without the cofactor, which the library's own verification multiplies with: R is made again from
// S, key and message, and compared as bytes, so a second spelling of R is refused with it.
function edVerify(key, message, signature) {
    if (signature.length !== 64 || !usableKey(key)) return false;
    const [r, s] = [signature.subarray(0, 32), littleEndian(signature.subarray(32))];
    if (s >= L) return false;
    try {
        const k = littleEndian(sha512(concat(r, key, message))) % L;
        const minusA = ed25519.Point.fromBytes(key, false).negate();
        const sB = s === 0n ? ed25519.Point.ZERO : ed25519.Point.BASE.multiplyUnsafe(s);
        return same(sB.add(minusA.multiplyUnsafe(k)).toBytes(), r);
    } catch {
        return false; // the key is no point
    }
}

export const verifyEd25519 = (key, message, signature) =>
    once('ed', [key, message, signature], () => edVerify(key, message, signature));

const verifyMl = (algorithm, name) => (key, message, signature, context = new Uint8Array()) =>
    once(name, [key, message, signature, context], () => {
        try {
            return algorithm.verify(signature, message, key, { context });
        } catch {
            return false; // of another length
        }
    });
export const verifyMl87 = verifyMl(ml_dsa87, 'ml87');
export const verifyMl44 = verifyMl(ml_dsa44, 'ml44');

// --- keys from seeds, for vectors that say how they were made -----------------------------------

const pairs = new Map();

// A hybrid key from a wallet generation's seed.
export function keyOf(seed) {
    const name = hex(seed);
    if (!pairs.has(name)) {
        const prk = extract('httpcg-wallet/v1', seed);
        const edSeed = expand(prk, TUP('ed25519'));
        const mlSeed = expand(prk, TUP('ml-dsa-87'));
        const pair = ml_dsa87.keygen(mlSeed);
        const ed = ed25519.getPublicKey(edSeed);
        pairs.set(name, { edSeed, mlSeed, ed, ml: pair.publicKey, mlSecret: pair.secretKey });
    }
    return pairs.get(name);
}

export const signEd25519 = (seed, message) => ed25519.sign(message, seed);

// FIPS 204's deterministic variant: only vectors are signed with it.
export const signMl87 = (secret, message, context = new Uint8Array()) =>
    ml_dsa87.sign(message, secret, { context, extraEntropy: false });

// --- HSIG ---------------------------------------------------------------------------------------

export const HSIG_BYTES = 64 + 4627;

export const DOMAINS = [
    'inbox', 'grant', 'sapi-request', 'sapi-response', 'channel-proof', 'registry-owner',
    'registry-operator', 'nsig',
];

export const hsigText = (dom, message) =>
    concat(ascii('HTTPCG-HSIG-v1:Ed25519+ML-DSA-87'), u(8, dom.length), ascii(dom), sha512(message));
export const hsigContext = (dom) => ascii('HSIG1:' + dom);

export function hsigVerify(key, dom, message, signature) {
    need(DOMAINS.includes(dom), 'SIGNATURE', `no domain ${dom}`);
    need(signature.length === HSIG_BYTES, 'SIGNATURE', 'length');
    const text = hsigText(dom, message);
    need(verifyEd25519(key.ed, text, signature.subarray(0, 64)), 'SIGNATURE', 'Ed25519');
    need(verifyMl87(key.ml, text, signature.subarray(64), hsigContext(dom)), 'SIGNATURE', 'ML-DSA');
}

export function hsigSign(key, dom, message) {
    const text = hsigText(dom, message);
    return concat(signEd25519(key.edSeed, text), signMl87(key.mlSecret, text, hsigContext(dom)));
}

// --- HSIG-B -------------------------------------------------------------------------------------

export const leafHash = (message) => H(Uint8Array.of(0), message);
export const nodeHash = (left, right) => H(Uint8Array.of(1), left, right);

// The root that a leaf at index leads to in a tree of count leaves (RFC 9162, 2.1.3.2).
export function rootFrom(index, count, leaf, path) {
    need(index < count, 'PROOF', 'place outside of the tree');
    let [node, last, at] = [index, count - 1, leaf];
    for (const sibling of path) {
        need(last > 0, 'PROOF', 'path goes on behind the root');
        // An even node in the last place has no sibling and rises alone.
        while (node === last && node % 2 === 0) [node, last] = [node / 2, Math.floor(last / 2)];
        at = node % 2 === 1 ? nodeHash(sibling, at) : nodeHash(at, sibling);
        [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    }
    need(last === 0, 'PROOF', 'path ends before the root');
    return at;
}

export const batchMessage = (root, count) => TUP('httpcg-batch/v1', root, u(16, count));

export function readBatch(wire) {
    const item = cbor.read(wire);
    const fits =
        Array.isArray(item) && item.length === 4 && cbor.bytes(HSIG_BYTES)(item[0]) &&
        cbor.uint(item[1]) && cbor.uint(item[2]) && cbor.list(0, 8, cbor.bytes(32))(item[3]);
    need(fits, 'MALFORMED', 'HSIG-B');
    const [signature, index, count, path] = item;
    return { signature, index, count, path };
}

export function batchVerify(key, dom, message, wire) {
    const { signature, index, count, path } = readBatch(wire);
    need(count <= 256, 'PROOF', 'more than 256 messages');
    const root = rootFrom(index, count, leafHash(message), path);
    hsigVerify(key, dom, batchMessage(root, count), signature);
}
