// merkle.json: heads, proofs and tiles of a log.
import { ends, equal, holds, int, Suite } from '../harness.js';
import { ascii, concat, H, hex, unhex } from '../proto/bytes.js';
import { checkConsistency, checkInclusion, headOf, leafHash, readBundle, readTilePath } from '../proto/merkle.js';

const suite = new Suite('merkle');
export default suite;

const entry = (i) => ascii(`entry ${i}`);
const leaves = (n) => Array.from({ length: n }, (_, i) => leafHash(entry(i)));
const rootOf = (size, data) => data.roots[size] ?? hex(headOf(leaves(size)));
const path = (v) => v.path.map((one) => unhex(one, 32));

suite.each('head of', ['roots'], (v, data) => equal(headOf(leaves(data.roots.indexOf(v))), v));
suite.each('inclusion', ['inclusion'], (v, data) => {
    const [index, size] = [int(v.index), int(v.size)];
    equal(leafHash(entry(index)), v.leaf);
    equal(v.root, rootOf(size, data));
    checkInclusion(index, size, unhex(v.leaf), path(v), unhex(v.root));
    ends('PROOF', () => checkInclusion(index, size, unhex(v.leaf), [...path(v), leafHash(entry(0))], unhex(v.root)));
});
suite.each('consistency', ['consistency'], (v, data) => {
    const [from, to] = [int(v.from), int(v.to)];
    equal(v.from_root, rootOf(from, data));
    equal(v.to_root, rootOf(to, data));
    checkConsistency(from, to, unhex(v.from_root), unhex(v.to_root), path(v));
    ends('PROOF', () => checkConsistency(from, to, unhex(v.from_root), unhex(v.to_root), [...path(v), leafHash(entry(0))]));
});

suite.each('tile', ['tiles', 'good'], (v) => {
    const tile = readTilePath(v.path);
    equal(`${tile.level} ${tile.index} ${tile.width}`, `${v.level} ${v.index} ${v.width}`);
});
suite.each('no tile:', ['tiles', 'bad'], (v) => ends('SYNTAX', () => readTilePath(v)), { only: [] });
suite.check('nine hashes of level 0', ['tiles', 'level0_width9_sha256'], (v) => equal(H(concat(...leaves(9))), v));
suite.check('the first of level 1', ['tiles', 'level1_tile0_width1'], (v) => equal(headOf(leaves(256)), v));
suite.check('a bundle of entries', ['tiles', 'bundle_of_3'], (v) =>
    equal(readBundle(unhex(v)).map(hex).join(), [0, 1, 2].map((i) => hex(entry(i))).join()));

// The path above must also hold for every leaf of every tree that has a head here, which no list of
// chosen proofs shows: proofs are made as RFC 9162, 2.1.3.1 defines them.
suite.check('every leaf of every tree', ['roots'], (roots) => {
    for (let size = 1; size < roots.length; size++)
        for (let i = 0; i < size; i++) checkInclusion(i, size, leafHash(entry(i)), pathOf(i, leaves(size)), unhex(roots[size]));
    holds(roots.length === 66, 'heads of 0 to 65 leaves');
}, { only: [] });

function pathOf(i, of) {
    if (of.length === 1) return [];
    let k = 1;
    while (k * 2 < of.length) k *= 2;
    const [left, right] = [of.slice(0, k), of.slice(k)];
    return i < k ? [...pathOf(i, left), headOf(right)] : [...pathOf(i - k, right), headOf(left)];
}
