// Key files (docs/protocol/identity.md, "Key files").
import { gcm } from '@noble/ciphers/aes.js';
import { argon2id } from '@noble/hashes/argon2.js';
import { ascii, Fault, hex, need, wellFormed } from './bytes.js';
import * as cbor from './cbor.js';

export function read(wire) {
    const map = cbor.read(wire);
    const file = cbor.members(map, {
        v: cbor.oneOf(1), kdf: cbor.oneOf('argon2id'), m: cbor.uint, t: cbor.uint, p: cbor.uint, salt: cbor.bytes(16),
        aead: cbor.oneOf('A256GCM'), nonce: cbor.bytes(12), role: cbor.text, hint: cbor.text, ct: cbor.bytes(),
    });
    wellFormed(file.m <= 1 << 20 && file.t <= 10 && file.p <= 4, 'too much to compute');
    wellFormed(file.p >= 1 && file.t >= 1 && file.m >= 8 * file.p, 'too little to compute');
    map.delete('ct');
    return { ...file, aad: cbor.write(map) };
}

// Dear on purpose, and asked for again and again by the self-test.
const derived = new Map();
export function keyFrom(file, passphrase) {
    const { m, t, p } = file;
    const name = JSON.stringify([m, t, p, hex(file.salt), passphrase]);
    if (!derived.has(name)) derived.set(name, argon2id(ascii(passphrase), file.salt, { m, t, p, dkLen: 32 }));
    return derived.get(name);
}

export function open(file, passphrase) {
    let plain;
    try {
        plain = gcm(keyFrom(file, passphrase), file.nonce, file.aad).decrypt(file.ct);
    } catch {
        throw new Fault('MISMATCH', 'another passphrase, or the file was changed');
    }
    const inner = cbor.members(cbor.read(plain), { role: cbor.text, seed: cbor.bytes(32), created: cbor.uint });
    need(inner.role === file.role, 'MALFORMED', 'another role inside');
    return { ...inner, plain };
}
