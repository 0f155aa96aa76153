// standards.json: the libraries used here and the project's, against the same answers of others.
import { gcm } from '@noble/ciphers/aes.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { argon2id } from '@noble/hashes/argon2.js';
import { ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { equal, holds, int, Suite } from '../harness.js';
import { ascii, expand, extract, hex, unhex } from '../proto/bytes.js';
import { signEd25519, signMl87, verifyEd25519 } from '../proto/hybrid.js';

const suite = new Suite('standards');
export default suite;

suite.each('Ed25519', ['ed25519', 'cases'], (v) => {
    equal(ed25519.getPublicKey(unhex(v.seed)), v.public);
    equal(signEd25519(unhex(v.seed), unhex(v.message)), v.signature);
    holds(verifyEd25519(unhex(v.public), unhex(v.message), unhex(v.signature)), 'signature');
});
suite.each('HKDF', ['hkdf', 'cases'], (v) => {
    const prk = extract(unhex(v.salt), unhex(v.ikm));
    equal(prk, v.prk);
    equal(expand(prk, unhex(v.info), v.okm.length / 2), v.okm);
});
suite.each('ML-DSA-87 key', ['mldsa87_keygen', 'cases'], (v) => {
    const key = hex(ml_dsa87.keygen(unhex(v.seed)).publicKey);
    holds(v.first.length >= 32 && v.last.length >= 32, 'length');
    equal(key.slice(0, v.first.length), v.first);
    equal(key.slice(-v.last.length), v.last);
});
suite.each('ML-DSA-87 signature', ['mldsa87_sign', 'cases'], (v) => {
    const signature = hex(signMl87(ml_dsa87.keygen(unhex(v.seed)).secretKey, unhex(v.message)));
    holds(v.first.length >= 32 && v.last.length >= 32, 'length');
    equal(signature.slice(0, v.first.length), v.first);
    equal(signature.slice(-v.last.length), v.last);
});
suite.each('AES-256-GCM', ['aes256gcm', 'cases'], (v) =>
    equal(gcm(unhex(v.key), unhex(v.nonce), unhex(v.aad)).encrypt(unhex(v.plain)), v.sealed));
suite.each('Argon2id', ['argon2id', 'cases'], (v) => {
    const cost = { m: int(v.m_kib), t: int(v.passes), p: int(v.lanes), dkLen: v.out.length / 2 };
    equal(argon2id(ascii(v.password), ascii(v.salt), cost), v.out);
});
