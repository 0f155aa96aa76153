// The log's tree and the state map made from it (docs/protocol/ledger.md, "Tree", "State map").
import { H, hex, need, same, TUP, u, wellFormed } from './bytes.js';
import * as cbor from './cbor.js';
import { leafHash, nodeHash, rootFrom } from './hybrid.js';

export { leafHash, nodeHash, rootFrom };

// --- the tree (RFC 9162, 2.1) -------------------------------------------------------------------

// The largest power of two below n.
function split(n) {
    let k = 1;
    while (k * 2 < n) k *= 2;
    return k;
}

export function headOf(leaves) {
    if (leaves.length === 0) return H();
    if (leaves.length === 1) return leaves[0];
    const k = split(leaves.length);
    return nodeHash(headOf(leaves.slice(0, k)), headOf(leaves.slice(k)));
}

export function checkInclusion(index, size, leaf, path, root) {
    need(same(rootFrom(index, size, leaf, path), root), 'PROOF', 'inclusion');
}

// RFC 9162, 2.1.4.2.
export function checkConsistency(from, to, fromRoot, toRoot, path) {
    need(from <= to, 'PROOF', 'a tree that shrank');
    if (from === to || from === 0) {
        need(path.length === 0 && (from === 0 || same(fromRoot, toRoot)), 'PROOF', 'consistency');
        return;
    }
    let [node, last] = [from - 1, to - 1];
    while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)];
    const rest = [...path];
    const first = node === 0 ? fromRoot : rest.shift();
    need(first, 'PROOF', 'consistency');
    let [a, b] = [first, first];
    for (const sibling of rest) {
        need(last > 0, 'PROOF', 'path goes on behind the root');
        if (node % 2 === 1 || node === last) {
            a = nodeHash(sibling, a);
            b = nodeHash(sibling, b);
            while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
        } else {
            b = nodeHash(b, sibling);
        }
        [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    }
    need(last === 0 && same(a, fromRoot) && same(b, toRoot), 'PROOF', 'consistency');
}

// --- tiles --------------------------------------------------------------------------------------

const TILE = 256;

// tile/<L>/<N>[.p/<W>]: { level, index, width }; level is a number or "entries".
export function readTilePath(path) {
    const found = /^tile\/([0-7]|entries)\/((?:x[0-9]{3}\/)*)([0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/.exec(path);
    wellFormed(found, 'tile path');
    const [, level, groups, last, width] = found;
    const digits = groups.replaceAll(/[x/]/g, '') + last;
    wellFormed(groups === '' || !digits.startsWith('000'), 'index written long');
    wellFormed(BigInt(digits) < 1n << 64n, 'index');
    wellFormed(width === undefined || Number(width) < TILE, 'width');
    return { level, index: BigInt(digits), width: width === undefined ? TILE : Number(width) };
}

export function readBundle(wire) {
    const entries = [];
    for (let at = 0; at < wire.length; ) {
        wellFormed(at + 2 <= wire.length, 'bundle ends early');
        const length = wire[at] * 256 + wire[at + 1];
        wellFormed(at + 2 + length <= wire.length, 'bundle ends early');
        entries.push(wire.slice(at + 2, at + 2 + length));
        at += 2 + length;
    }
    return entries;
}

// --- the state map ------------------------------------------------------------------------------

const NOTHING = new Uint8Array(32);

export const mapKey = (kind, id) => H(TUP('httpcg-map-key/v1', kind, id));
const pairHash = (key, value) => H(u(8, 2), key, value);
const branchHash = (left, right) => H(u(8, 3), left, right);
const bitOf = (key, d) => (key[d >> 3] >> (7 - (d & 7))) & 1;

// The root of pairs [key, value].
export function mapRoot(pairs, d = 0) {
    if (pairs.length === 0) return NOTHING;
    if (pairs.length === 1) return pairHash(...pairs[0]);
    const side = (bit) => mapRoot(pairs.filter(([key]) => bitOf(key, d) === bit), d + 1);
    return branchHash(side(0), side(1));
}

// The parts of a proof's CBOR item.
export function readProof(item) {
    wellFormed(Array.isArray(item) && item.length === 3, 'proof');
    const [present, what, siblings] = item;
    const sibling = (x) => cbor.bytes(0)(x) || cbor.bytes(32)(x);
    wellFormed(cbor.list(0, 256, sibling)(siblings), 'siblings');
    wellFormed(!siblings.some((x) => x.length === 32 && same(x, NOTHING)), 'an empty subtree spelt out');
    if (present === 1) {
        wellFormed(cbor.bytes(32)(what), 'value');
        return { kind: 'present', value: what, siblings };
    }
    wellFormed(present === 0, 'neither present nor absent');
    if (what === null) return { kind: 'empty', siblings };
    wellFormed(cbor.list(2, 2, cbor.bytes(32))(what), 'the other pair');
    return { kind: 'other', other: what, siblings };
}

function startOf(key, proof) {
    if (proof.kind === 'present') return pairHash(key, proof.value);
    if (proof.kind === 'empty') return NOTHING;
    const [otherKey, otherValue] = proof.other;
    need(!same(otherKey, key), 'PROOF', 'the key itself as the other pair');
    for (let i = 0; i < proof.siblings.length; i++)
        need(bitOf(otherKey, i) === bitOf(key, i), 'PROOF', 'a pair outside of the prefix');
    return pairHash(otherKey, otherValue);
}

// The value that the proof shows under root, or null where it shows absence.
export function checkProof(root, key, proof) {
    let at = startOf(key, proof);
    for (let i = proof.siblings.length - 1; i >= 0; i--) {
        const sibling = proof.siblings[i].length === 0 ? NOTHING : proof.siblings[i];
        at = bitOf(key, i) === 1 ? branchHash(sibling, at) : branchHash(at, sibling);
    }
    need(same(at, root), 'PROOF', 'state map');
    return proof.kind === 'present' ? proof.value : null;
}

// --- entries ------------------------------------------------------------------------------------

export const ENTRY_MAX = 1024;
export const KINDS = ['did', 'tlsls', 'tlsls-rev', 'registry', 'policy', 'relays', 'kem', 'audit', 'map-head'];

export function readEntry(wire) {
    wellFormed(wire.length <= ENTRY_MAX, 'entry too large');
    const item = cbor.read(wire);
    wellFormed(Array.isArray(item) && (item.length === 6 || item.length === 8), 'entry');
    const [version, kind, commitment, subject, objectDigest, time, logSize, mapSize] = item;
    const fits =
        version === 1 && KINDS.includes(kind) && cbor.bytes(32)(commitment) && cbor.text(subject) &&
        objectDigest instanceof Uint8Array && [0, 32].includes(objectDigest.length) && cbor.uint(time);
    wellFormed(fits, 'entry');
    wellFormed((kind === 'map-head') === (item.length === 8), 'members of an entry');
    if (kind === 'map-head')
        wellFormed(subject === '' && objectDigest.length === 0 && cbor.uint(logSize) && cbor.uint(mapSize), 'map-head');
    return { kind, commitment, subject, objectDigest, time, logSize, mapSize, wire };
}

// Which pair of the map an entry sets, if any. policyNames tells the name in a logged policy.
export function pairSetBy(entry, policyName) {
    const waddr = () => entry.subject.slice('did:bpi:'.length);
    const made = {
        did: () => ['did', waddr(), entry.commitment],
        'tlsls-rev': () => ['tlsls-rev', hex(entry.commitment), H(entry.wire)],
        registry: () => ['reg', entry.subject, entry.commitment],
        policy: () => ['policy', `${entry.subject}/${policyName(entry)}`, entry.commitment],
        relays: () => ['relays', 'current', entry.commitment],
        kem: () => ['kem', waddr(), entry.commitment],
    }[entry.kind];
    return made ? made() : null;
}
