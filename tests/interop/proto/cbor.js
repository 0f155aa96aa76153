// Deterministic CBOR (RFC 8949, 4.2.1), as far as the protocol goes: a strict reader, a writer, and
// closed schemas. Maps are read into Map, bytes into Uint8Array, tags into Tagged.
import { ascii, compare, concat, Fault, u, wellFormed } from './bytes.js';

const DEPTH_MAX = 6;

export class Tagged {
    constructor(tag, item) {
        this.tag = tag;
        this.item = item;
    }
}

class Reader {
    constructor(wire) {
        this.wire = wire;
        this.at = 0;
    }

    take(n) {
        wellFormed(n <= this.wire.length - this.at, 'CBOR ends early');
        this.at += n;
        return this.wire.subarray(this.at - n, this.at);
    }

    // The head of an item: its major type, and its argument in the shortest form.
    head() {
        const first = this.take(1)[0];
        const info = first & 31;
        if (info < 24) return [first >> 5, info];
        wellFormed(info <= 27, 'indefinite or reserved length');
        const size = 1 << (info - 24);
        let argument = 0n;
        for (const byte of this.take(size)) argument = (argument << 8n) | BigInt(byte);
        const least = size === 1 ? 24n : 1n << BigInt(4 * size);
        wellFormed(argument >= least, 'an integer longer than it need be');
        return [first >> 5, argument <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(argument) : argument];
    }

    // Every item counts for the depth, an integer too.
    item(depth) {
        wellFormed(depth <= DEPTH_MAX, 'nested too deeply');
        const [major, argument] = this.head();
        if (major === 7) return this.simple(argument);
        if (major === 0) return argument;
        if (major === 1) return typeof argument === 'bigint' ? -1n - argument : -1 - argument;
        wellFormed(typeof argument === 'number', 'a length beyond reason');
        if (major === 2) return Uint8Array.from(this.take(argument));
        if (major === 3) return this.text(argument);
        if (major === 4) return this.list(argument, depth);
        if (major === 5) return this.map(argument, depth);
        return new Tagged(argument, this.item(depth + 1));
    }

    simple(argument) {
        const value = { 20: false, 21: true, 22: null }[argument];
        wellFormed(value !== undefined, 'a float or an unknown simple value');
        return value;
    }

    text(length) {
        const bytes = this.take(length);
        try {
            return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
        } catch {
            throw new Fault('MALFORMED', 'text that is not UTF-8');
        }
    }

    list(n, depth) {
        wellFormed(n <= this.wire.length, 'a list longer than the input');
        return Array.from({ length: n }, () => this.item(depth + 1));
    }

    map(n, depth) {
        const out = new Map();
        let before = null;
        for (let i = 0; i < n; i++) {
            const start = this.at;
            const key = this.item(depth + 1);
            wellFormed(typeof key === 'string' || typeof key === 'number', 'a key of another type');
            const wire = this.wire.subarray(start, this.at);
            wellFormed(before === null || compare(before, wire) < 0, 'keys not in order');
            before = wire;
            out.set(key, this.item(depth + 1));
        }
        return out;
    }
}

export function read(wire) {
    const reader = new Reader(wire);
    const item = reader.item(1);
    wellFormed(reader.at === wire.length, 'CBOR goes on behind its end');
    return item;
}

function head(major, n) {
    if (n < 24) return Uint8Array.of((major << 5) | Number(n));
    const size = n < 0x100 ? 1 : n < 0x10000 ? 2 : n < 0x100000000 ? 4 : 8;
    return concat(Uint8Array.of((major << 5) | (24 + Math.log2(size))), u(8 * size, n));
}

export function write(item) {
    if (item === null) return Uint8Array.of(0xf6);
    if (item === false || item === true) return Uint8Array.of(item ? 0xf5 : 0xf4);
    if (typeof item === 'number' || typeof item === 'bigint')
        return item < 0 ? head(1, typeof item === 'bigint' ? -1n - item : -1 - item) : head(0, item);
    if (item instanceof Uint8Array) return concat(head(2, item.length), item);
    if (typeof item === 'string') return concat(head(3, item.length), ascii(item));
    if (Array.isArray(item)) return concat(head(4, item.length), ...item.map(write));
    if (item instanceof Tagged) return concat(head(6, item.tag), write(item.item));
    const entries = item instanceof Map ? [...item] : Object.entries(item);
    const pairs = entries.map(([key, value]) => [write(key), write(value)]);
    pairs.sort((a, b) => compare(a[0], b[0]));
    return concat(head(5, pairs.length), ...pairs.flat());
}

// --- schemas: predicates over items -----------------------------------------------------------

export const bytes = (length) => (x) =>
    x instanceof Uint8Array && (length === undefined || x.length === length);
export const uint = (x) => typeof x === 'number' && x >= 0;
export const range = (least, most) => (x) => uint(x) && x >= least && x <= most;
export const text = (x) => typeof x === 'string' && /^[ -~]*$/.test(x);
export const bool = (x) => x === true || x === false;
export const oneOf = (...values) => (x) => values.includes(x);
export const list = (least, most, of) => (x) =>
    Array.isArray(x) && x.length >= least && x.length <= most && x.every(of);

// The members of a map as an object: those of must, perhaps those of may, and no others. One whose
// predicate does not hold is malformed.
export function members(map, must, may = {}) {
    wellFormed(map instanceof Map, 'not a map');
    const out = {};
    for (const [key, value] of map) {
        const fits = must[key] ?? may[key];
        wellFormed(fits !== undefined && Object.hasOwn({ ...must, ...may }, key), `member ${key}`);
        wellFormed(fits(value), `value of ${key}`);
        out[key] = value;
    }
    for (const key of Object.keys(must)) wellFormed(map.has(key), `no ${key}`);
    return out;
}
