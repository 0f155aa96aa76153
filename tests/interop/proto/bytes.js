// Bytes, and the encodings that everything else is made of (docs/protocol/encodings.md).
import { expand as hkdfExpand, extract as hkdfExtract } from '@noble/hashes/hkdf.js';
import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';

export { sha512 };

// What a reader or a check refuses; code is one of the codes in docs/protocol, or MALFORMED.
export class Fault extends Error {
    constructor(code, why = '') {
        super(why ? `${code}: ${why}` : code);
        this.code = code;
    }
}

export function need(condition, code, why) {
    if (!condition) throw new Fault(code, why);
}

export function wellFormed(condition, why) {
    need(condition, 'MALFORMED', why);
}

export const ascii = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
export const utf8 = (text) => new TextEncoder().encode(text);
export const latin1 = (bytes) => Buffer.from(bytes).toString('latin1');

export function hex(bytes) {
    return Buffer.from(bytes).toString('hex');
}

// Lower case only, whole bytes only.
export function unhex(text, length = undefined) {
    wellFormed(typeof text === 'string' && /^([0-9a-f]{2})*$/.test(text), 'hex');
    wellFormed(length === undefined || text.length === 2 * length, 'length of hex');
    return new Uint8Array(Buffer.from(text, 'hex'));
}

export function base64(bytes) {
    return Buffer.from(bytes).toString('base64');
}

// Node's reader repairs what it is given; so what came out must give the text again.
export function unbase64(text) {
    const bytes = new Uint8Array(Buffer.from(text, 'base64'));
    wellFormed(base64(bytes) === text, 'base64');
    return bytes;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

export function base32(bytes) {
    let bits = 0;
    let held = 0;
    let text = '';
    for (const byte of bytes) {
        held = (held << 8) | byte;
        for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31];
        held &= (1 << bits) - 1;
    }
    return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text;
}

export function unbase32(text) {
    const bytes = [];
    let bits = 0;
    let held = 0;
    for (const c of text) {
        const value = BASE32.indexOf(c);
        wellFormed(value >= 0, 'base32');
        held = (held << 5) | value;
        bits += 5;
        if (bits >= 8) bytes.push((held >> (bits -= 8)) & 255);
        held &= (1 << bits) - 1;
    }
    wellFormed(base32(bytes) === text, 'base32');
    return Uint8Array.from(bytes);
}

export function concat(...parts) {
    const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
    let at = 0;
    for (const part of parts) {
        out.set(part, at);
        at += part.length;
    }
    return out;
}

export function same(a, b) {
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

// Bitwise order, as CBOR sorts its keys.
export function compare(a, b) {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

// u(32, n): n in so many bits, unsigned and big-endian.
export function u(bits, n) {
    const out = new Uint8Array(bits / 8);
    let left = BigInt(n);
    for (let i = out.length - 1; i >= 0; i--) {
        out[i] = Number(left & 255n);
        left >>= 8n;
    }
    if (left !== 0n) throw new RangeError(`${n} does not fit ${bits} bits`);
    return out;
}

// A field of a tuple: bytes as they are, text as ASCII.
const field = (x) => (typeof x === 'string' ? ascii(x) : x);
export const lp = (x) => concat(u(32, field(x).length), field(x));
export const TUP = (label, ...fields) => concat(lp(label), u(8, fields.length), ...fields.map(lp));
export const listOf = (items) => new Uint8Array(Buffer.concat([u(16, items.length), ...items.map(lp)]));
export const LIST = (...items) => listOf(items);

export const H = (...parts) => sha256(concat(...parts));
export const hmac = (key, message) => nobleHmac(sha256, key, message);
export const extract = (salt, secret) => hkdfExtract(sha256, secret, field(salt));
export const expand = (key, info, length = 32) => hkdfExpand(sha256, key, info, length);
