// grant.json: grants, their keys and answers.
import { readFileSync } from 'node:fs';
import { equal, Suite } from '../harness.js';
import { H, hmac, unhex } from '../proto/bytes.js';
import * as cbor from '../proto/cbor.js';
import { batchMessage, hsigSign, keyOf, leafHash } from '../proto/hybrid.js';
import { addressOf, nextOf, walletDocument } from '../proto/identity.js';
import { Channel } from '../proto/lock.js';
import * as sapi from '../proto/sapi.js';

const suite = new Suite('grant');
export default suite;

const channels = JSON.parse(readFileSync(new URL('../../vectors/qlock.json', import.meta.url), 'utf8')).channels;
const seed = (first) => Uint8Array.from({ length: 32 }, (_, i) => first + i);
const [wallet, next, transport, session] = [0, 32, 128, 192].map((first) => keyOf(seed(first)));

suite.each('grant', ['grants'], (v) => {
    const c = new Channel(...['exporter', 'spki', 'fingerprint'].map((name) => unhex(channels[0][name])));
    const wire = unhex(v.grant);
    const grant = sapi.readGrant(wire);
    equal(grant.session_key, hexOf(session.ed));
    equal(grant.wallet_address, addressOf(wallet, nextOf(next)));
    const signature = hsigSign(wallet, 'grant', wire);
    equal(H(signature), v.signature_sha256);
    sapi.verifyGrant(sapi.readPosted(cbor.write([wire, walletDocument(wallet, nextOf(next)), signature])), c);
    equal(grant.hash, v.grant_hash);

    const keys = c.grantKeys(grant.hash, grant.epoch_start);
    equal(keys.gk, v.grant_key);
    equal(keys.c2s, v.k_c2s);
    equal(keys.s2c, v.k_s2c);
    equal(keys.conf, v.k_conf);

    const answer = unhex(v.answer);
    equal(hmac(keys.conf, answer), v.confirm);
    const message = sapi.proofMessage(c.cb, grant.hash, answer);
    equal(message, v.proof_tbs);
    const proof = cbor.write([hsigSign(transport, 'channel-proof', batchMessage(leafHash(message), 1)), 0, 1, []]);
    equal(H(proof), v.proof_sha256);
    const answered = cbor.write([answer, unhex(v.confirm), proof]);
    sapi.verifyAnswered(answered, grant, { ed: transport.ed, ml: transport.ml }, sapi.readAnswer(answer).server_did, keys.conf);
}, { inert: ['name'] });

const hexOf = (bytes) => Buffer.from(bytes).toString('hex');
