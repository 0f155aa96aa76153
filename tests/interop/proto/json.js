// The JSON of headers, records and policies (docs/protocol/encodings.md, "JSON"): stricter than
// JSON.parse, which takes members twice, floats and escapes.
import { latin1, wellFormed } from './bytes.js';

const DEPTH_MAX = 4;

// Where a value stands: in a header only SP may be between tokens and nothing around it.
export const IN_HEADER = / */y;
export const IN_BODY = /[ \t\r\n]*/y;

export function read(bytes, place = IN_BODY) {
    const source = latin1(bytes);
    wellFormed(/^[\x00-\x7f]*$/.test(source), 'not ASCII');
    let at = 0;

    const match = (pattern) => {
        pattern.lastIndex = at;
        const found = pattern.exec(source);
        if (found) at = pattern.lastIndex;
        return found && found[0];
    };
    const blank = () => match(place);
    const token = (c) => {
        if (source[at] !== c) return false;
        at++;
        return true;
    };

    function string() {
        wellFormed(token('"'), 'a string is missing');
        const end = source.indexOf('"', at);
        const text = source.slice(at, end < 0 ? source.length : end);
        wellFormed(end >= 0 && /^[ !#-[\]-~]*$/.test(text), 'string');
        at = end + 1;
        return text;
    }

    function collection(close, member) {
        at++;
        blank();
        if (token(close)) return;
        do {
            blank();
            member();
            blank();
        } while (token(','));
        wellFormed(token(close), `no ${close}`);
    }

    function value(depth) {
        const c = source[at];
        if (c === '"') return string();
        if (c === '{' || c === '[') {
            wellFormed(depth <= DEPTH_MAX, 'nested too deeply');
            const out = c === '{' ? Object.create(null) : [];
            if (c === '[') collection(']', () => out.push(value(depth + 1)));
            else
                collection('}', () => {
                    const name = string();
                    wellFormed(!(name in out), `member ${name} twice`);
                    blank();
                    wellFormed(token(':'), 'no colon');
                    blank();
                    out[name] = value(depth + 1);
                });
            return out;
        }
        const word = match(/(true|false)(?![a-z])/y);
        if (word) return word === 'true';
        const digits = match(/(0|[1-9][0-9]*)(?![0-9.eE])/y);
        wellFormed(digits && Number(digits) <= Number.MAX_SAFE_INTEGER, 'number or word');
        return Number(digits);
    }

    if (place === IN_BODY) blank();
    const out = value(1);
    if (place === IN_BODY) blank();
    wellFormed(at === source.length, 'something behind the value');
    return out;
}

// A closed schema over an object that read() gave; the object itself on success.
export function members(object, must, may = {}) {
    wellFormed(object && typeof object === 'object' && !Array.isArray(object), 'not an object');
    for (const name of Object.keys(object)) {
        const fits = Object.hasOwn(must, name) ? must[name] : Object.hasOwn(may, name) && may[name];
        wellFormed(fits, `member ${name}`);
        wellFormed(fits(object[name]), `value of ${name}`);
    }
    for (const name of Object.keys(must)) wellFormed(name in object, `no ${name}`);
    return object;
}
