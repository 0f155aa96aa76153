// map.json: the state map's keys, roots and proofs.
import { ends, equal, int, Suite } from '../harness.js';
import { hex, unhex } from '../proto/bytes.js';
import * as cbor from '../proto/cbor.js';
import { checkProof, mapKey, mapRoot, readProof } from '../proto/merkle.js';

const suite = new Suite('map');
export default suite;

const show = (v) => checkProof(unhex(v.root), unhex(v.key), readProof(cbor.read(unhex(v.proof))));

suite.each('key', ['keys'], (v) => equal(mapKey(v.kind, v.id), v.key));
for (const i of suite.data.sets.keys()) {
    suite.check(`set ${suite.data.sets[i].name}`, ['sets', String(i)], (v) => {
        equal(v.pairs.length, int(v.size));
        equal(mapRoot(v.pairs.map((pair) => pair.map((one) => unhex(one, 32)))), v.root);
    }, { only: ['pairs', 'size', 'root'], inert: ['name'] });
    suite.each(`set ${suite.data.sets[i].name}, proof`, ['sets', String(i), 'proofs'], (v, data) => {
        const set = data.sets[i];
        const proof = readProof(cbor.read(unhex(v.proof)));
        equal(proof.kind, v.kind);
        const value = checkProof(unhex(set.root), unhex(v.key), proof);
        equal(value === null ? '' : hex(value), v.value);
        const pair = set.pairs.find(([key]) => key === v.key);
        equal(pair ? pair[1] : '', v.value, 'the value in the set');
    }, { inert: (v) => (v.kind === 'present' ? [] : ['key']) }); // one proof shows the absence of many keys
}
suite.each('refused:', ['bad'], (v) => ends(v.error, () => show(v)), { only: ['error'] });
