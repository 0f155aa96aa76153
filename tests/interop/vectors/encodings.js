// encodings.json: tuples, CBOR, JSON and text forms at their edges.
import { ends, equal, holds, int, Suite, yes } from '../harness.js';
import { base32, base64, H, hex, listOf, TUP, unbase32, unbase64, unhex, utf8, wellFormed } from '../proto/bytes.js';
import * as cbor from '../proto/cbor.js';
import * as json from '../proto/json.js';

const suite = new Suite('encodings');
export default suite;

function repeated({ byte, count }) {
    const one = unhex(byte);
    holds(one.length > 0 || count === '1', 'nothing, more than once');
    const out = new Uint8Array(one.length * int(count));
    for (let at = 0; at < out.length; at += one.length) out.set(one, at);
    return out;
}

function checkWire(wire, v) {
    equal(wire.length, v.length, 'length');
    equal(H(wire), v.sha256, 'hash');
    if (wire.length <= 128) equal(wire, v.wire);
}

suite.each('tuple', ['tuples'], (v) => checkWire(TUP(v.label, ...v.fields.map(repeated)), v));
suite.each('list', ['lists'], (v) => {
    const items = v.items.map(repeated);
    checkWire(TUP('t', listOf(Array.from({ length: int(v.times) }, () => items).flat())), v);
}, { inert: (v) => (v.items.length === 0 ? ['times'] : []) });

// --- CBOR -----------------------------------------------------------------------------------------

function build(v) {
    switch (v.type) {
        case 'null': return null;
        case 'bool': return yes(v.value);
        case 'int': return BigInt(v.value);
        case 'bytes': return repeated(v);
        case 'text': return Buffer.from(repeated(v)).toString('latin1');
        case 'array': return v.items.map(build);
        case 'map': return new Map(v.pairs.map(({ key, value }) => [build(key), build(value)]));
        default: throw new Error(`type ${v.type}`);
    }
}

// All text of the protocol but a note is printable ASCII; which text it is, the schemas say.
function read(wire) {
    const item = cbor.read(wire);
    (function visit(x) {
        if (typeof x === 'string') wellFormed(cbor.text(x), 'text');
        else if (Array.isArray(x)) x.forEach(visit);
        else if (x instanceof Map) for (const pair of x) pair.forEach(visit);
        else if (x instanceof cbor.Tagged) visit(x.item);
    })(item);
    return item;
}

suite.each('CBOR', ['cbor'], (v) => {
    const wire = cbor.write(build(v.item));
    checkWire(wire, v);
    equal(cbor.write(read(wire)), hex(wire), 'what was read');
    // The order of the pairs is the canonical one.
    const order = (keys) => keys.map((key) => hex(cbor.write(key))).join();
    if (v.item.type === 'map') equal(order([...read(wire).keys()]), order(v.item.pairs.map(({ key }) => build(key))));
});
suite.each('refused CBOR:', ['cbor_bad'], (v) => ends(v.error, () => read(unhex(v.wire))), { only: ['error'] });

// --- JSON and texts -------------------------------------------------------------------------------

const toItem = (x) =>
    Array.isArray(x) ? x.map(toItem) : x && typeof x === 'object' ? new Map(Object.entries(x).map(([k, value]) => [k, toItem(value)])) : x;

suite.each('JSON', ['json'], (v) => equal(cbor.write(toItem(json.read(utf8(v.json)))), v.cbor));
suite.each('refused JSON:', ['json_bad'], (v) => ends(v.error, () => json.read(utf8(v.json))), { only: ['error'] });

const base64url = (bytes) => Buffer.from(bytes).toString('base64url');
const FORMS = {
    hex: [hex, (text, n) => unhex(text, n)],
    base32: [base32, (text) => unbase32(text)],
    base64: [base64, (text) => unbase64(text)],
    base64url: [base64url, (text) => {
        const bytes = new Uint8Array(Buffer.from(text, 'base64url'));
        wellFormed(base64url(bytes) === text, 'base64url');
        return bytes;
    }],
};

suite.each('text', ['texts'], (v) => {
    const [write, readText] = FORMS[v.form];
    equal(write(unhex(v.bytes)), v.text);
    equal(readText(v.text, v.bytes.length / 2), v.bytes);
}, { inert: (v) => (v.bytes === '' ? ['form'] : []) });
suite.each('refused text:', ['texts_bad'], (v) => ends(v.error, () => {
    const bytes = FORMS[v.form][1](v.text, int(v.bytes));
    if (v.form !== 'base64' && v.form !== 'base64url') wellFormed(bytes.length === int(v.bytes), 'length');
}), { only: ['error'] });
