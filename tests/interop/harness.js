// Suites of checks, and the test of the checks themselves: every value of every input is changed
// once, and the check that reads it must then fail.
import { readFileSync } from 'node:fs';
import { Fault, hex } from './proto/bytes.js';

const VECTORS = new URL('../vectors/', import.meta.url);

// Members that tell people something and are of no meaning to a check.
const FOR_PEOPLE = new Set(['note', 'why', 'source']);

export class Suite {
    constructor(name, data) {
        this.name = name;
        this.data = data ?? JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), 'utf8'));
        this.cases = [];
        this.left = [];
        this.places = 5; // where a long text is changed, one after the other
    }

    // A check of the value at path (a list of keys): verify(value, data) throws where it is wrong.
    // only: names of the members that are changed in the self-test, for inputs that are wrong on
    // purpose and stay so whatever else is changed. inert: members that cannot be told wrong, with
    // the reason beside the call. span: of a text, the only part that is changed.
    check(sentence, path, verify, { only, inert = [], span } = {}) {
        const names = typeof inert === 'function' ? inert(at(this.data, path)) : inert;
        this.cases.push({ sentence, path, verify, only, span, inert: new Set(names) });
    }

    each(sentence, path, verify, options) {
        const list = at(this.data, path);
        for (const key of Object.keys(list)) {
            const label = list[key]?.why ?? list[key]?.name ?? key;
            this.check(`${sentence} ${label}`, [...path, key], verify, options);
        }
    }

    // Values that no check reads, or none by itself, for the reason that is told.
    leave(path, reason) {
        holds(reason && at(this.data, path) !== undefined, `a reason for ${path.join('.')}`);
        this.left.push(path);
    }

    async run(report) {
        for (const one of this.cases) {
            const failure = await outcome(one, at(this.data, one.path), this.data);
            report(`${this.name}: ${one.sentence}`, failure);
        }
    }

    // Changes each value once; a check that does not notice is a failure, and so is a value that
    // no check reads.
    async selfTest(report) {
        const read = new Set();
        for (const one of this.cases) {
            const failure = await outcome(one, at(this.data, one.path), this.data);
            if (failure !== null) {
                report(`${this.name}: ${one.sentence}`, failure);
                continue;
            }
            const unnoticed = [];
            for (const path of leaves(at(this.data, one.path), one.path)) {
                const name = path.findLast((key) => !/^[0-9]+$/.test(key));
                read.add(path.join('\n'));
                if (FOR_PEOPLE.has(name) || one.inert.has(name) || (one.only && !one.only.includes(name))) continue;
                for (const value of changes(at(this.data, path), name, one, this.places)) {
                    if (await this.notices(one, path, value)) report(null, null);
                    else unnoticed.push(path.join('.'));
                }
            }
            for (const path of unnoticed) report(`${this.name}: ${one.sentence}`, `does not notice a change of ${path}`);
        }
        for (const path of this.left) for (const leaf of leaves(at(this.data, path), path)) read.add(leaf.join('\n'));
        for (const path of leaves(this.data, [])) {
            const name = path[path.length - 1];
            if (!read.has(path.join('\n')) && !FOR_PEOPLE.has(name)) report(this.name, `no check reads ${path.join('.')}`);
        }
    }

    async notices(one, path, value) {
        const holder = at(this.data, path.slice(0, -1));
        const key = path[path.length - 1];
        const kept = holder[key];
        holder[key] = value;
        try {
            return (await outcome(one, at(this.data, one.path), this.data)) !== null;
        } finally {
            holder[key] = kept;
        }
    }
}

async function outcome(one, value, data) {
    try {
        await one.verify(value, data);
        return null;
    } catch (error) {
        return error instanceof Fault || error instanceof Wrong ? error.message : (error.stack ?? String(error));
    }
}

const at = (data, path) => path.reduce((value, key) => value[key], data);

function* leaves(value, path) {
    if (value === null || typeof value !== 'object') yield path;
    else for (const key of Object.keys(value)) yield* leaves(value[key], [...path, key]);
}

// Other values of the same form, so that it is the check that fails and not the reader before it:
// one, and of long texts some, with the change at places far apart.
const LONG = 200;

function* changes(value, name, { span }, places) {
    if (typeof value !== 'string') yield typeof value === 'number' ? value + 1 : !value;
    else if (['error', 'want', 'refusal'].includes(name)) yield value === 'OK' ? 'SCHEMA' : 'OK';
    else if (value === '' || value === 'yes') yield value === '' ? 'yes' : '';
    else if (/^[0-9]+$/.test(value)) yield flip(value, value.length - 1, '0123456789');
    else {
        const alphabet = /^[0-9a-f]+$/.test(value) ? '0123456789abcdef' : null;
        const [begin, end] = span ? span(value) : [0, value.length];
        const n = end - begin > LONG ? places : 1;
        for (let i = 0; i < n; i++) yield flip(value, begin + Math.floor(((end - begin) * (i + 0.62)) / n), alphabet);
    }
}

function flip(text, i, alphabet) {
    const classes = alphabet ? [alphabet] : ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    const of = classes.find((one) => one.includes(text[i])) ?? 'xy';
    return text.slice(0, i) + of[(of.indexOf(text[i]) + 1) % of.length] + text.slice(i + 1);
}

// --- what checks say ----------------------------------------------------------------------------

export class Wrong extends Error {}

const show = (x) => (x instanceof Uint8Array ? hex(x) : String(x));
const brief = (x) => (show(x).length > 100 ? `${show(x).slice(0, 100)}…` : show(x));

// Bytes are compared with hex, everything else as text.
export function equal(actual, expected, what = 'value') {
    if (show(actual) !== show(expected)) throw new Wrong(`${what}: ${brief(actual)} instead of ${brief(expected)}`);
}

export function holds(condition, what) {
    if (!condition) throw new Wrong(what);
}

// Text that has to be there: an absent member must not compare as equal to nothing.
export function int(text) {
    holds(/^-?[0-9]+$/.test(text), `number: ${text}`);
    return Number(text);
}

export function yes(text) {
    holds(text === 'yes' || text === '', `yes or nothing: ${text}`);
    return text === 'yes';
}

// Which of the codes that vectors name are one to a reader of the documents: input is malformed, and
// how is told differently by each implementation.
const MALFORMED = ['SHORT', 'EXTRA', 'SYNTAX', 'CANONICAL', 'SCHEMA', 'TOO_LARGE', 'VERSION', 'UNSUPPORTED'];

// That action ends as the vector says: with that code, at that step. Gives what it returned.
export function ends(error, action, { step = '', also = {} } = {}) {
    let result;
    let fault = { code: 'OK', step: '' };
    try {
        result = action();
    } catch (thrown) {
        if (!(thrown instanceof Fault)) throw thrown;
        fault = thrown;
    }
    const codes = fault.code === 'MALFORMED' ? MALFORMED : [fault.code];
    const agrees = codes.includes(error) || (also[error] ?? []).includes(fault.code);
    holds(agrees, `${fault.message ?? 'OK'} instead of ${error}`);
    if (step || error === 'OK') equal(fault.step ?? '', step, 'step');
    return result;
}

// Bytes with `remove` of them at `at` replaced by `insert`, as several files describe their cases.
export function spliced(bytes, edit) {
    const [start, gone] = [int(edit.at), int(edit.remove)];
    holds(start + gone <= bytes.length, 'an edit outside of its input');
    holds(/^([0-9a-f]{2})*$/.test(edit.insert), 'insert');
    return new Uint8Array([...bytes.slice(0, start), ...Buffer.from(edit.insert, 'hex'), ...bytes.slice(start + gone)]);
}
