// keyfile.json: seeds at rest.
import { gcm } from '@noble/ciphers/aes.js';
import { ends, equal, holds, int, spliced, Suite } from '../harness.js';
import { hex, unhex } from '../proto/bytes.js';
import * as keyfile from '../proto/keyfile.js';

const suite = new Suite('keyfile');
export default suite;

suite.each('file', ['good'], (v) => {
    const file = keyfile.read(unhex(v.file));
    equal(`${file.m} ${file.t} ${file.p} ${file.role} ${file.hint}`, `${int(v.m)} ${int(v.t)} ${int(v.p)} ${v.role} ${v.hint}`);
    equal(`${hex(file.salt)} ${hex(file.nonce)}`, `${v.salt} ${v.nonce}`);
    equal(file.aad, v.aad);
    equal(keyfile.keyFrom(file, v.passphrase), v.key);
    const { plain, seed, created } = keyfile.open(file, v.passphrase);
    equal(plain, v.plain);
    equal(`${hex(seed)} ${created}`, `${v.seed} ${int(v.created)}`);
    equal(gcm(unhex(v.key), unhex(v.nonce), unhex(v.aad)).encrypt(plain), hex(file.ct));
}, { inert: ['name'] });
suite.each('wrong passphrase', ['wrong_passphrases'], (v, data) => {
    const small = data.good.find((one) => one.name === 'small');
    holds(v !== small.passphrase, 'the passphrase');
    ends('MISMATCH', () => keyfile.open(keyfile.read(unhex(small.file)), v));
}, { only: [] });
suite.each('refused:', ['bad'], (v, data) => {
    const small = data.good.find((one) => one.name === 'small');
    ends(v.error, () => keyfile.open(keyfile.read(spliced(unhex(small.file), v)), small.passphrase));
}, { only: ['error'] });
