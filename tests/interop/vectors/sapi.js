// sapi.json: signed requests of every mode, body mode and kind of query.
import { equal, holds, int, Suite } from '../harness.js';
import { ascii, H, same, unhex, utf8 } from '../proto/bytes.js';
import { keyOf } from '../proto/hybrid.js';
import { addressOf, nextOf } from '../proto/identity.js';
import * as lock from '../proto/lock.js';
import * as sapi from '../proto/sapi.js';
import * as url from '../proto/url.js';

const suite = new Suite('sapi');
export default suite;

const seed = (first) => Uint8Array.from({ length: 32 }, (_, i) => first + i);
export const wallet = () => keyOf(seed(0));
const session = () => keyOf(seed(192));
const channels = new Suite('qlock').data.channels;
const grants = new Suite('grant').data.grants;
export const channel = () =>
    new lock.Channel(...['exporter', 'spki', 'fingerprint'].map((name) => unhex(channels[0][name])));

suite.check('the wallet', ['wallet_address'], (v) => equal(addressOf(wallet(), nextOf(keyOf(seed(32)))), v));
suite.check('the grant', ['grant_hash'], (v) => equal(sapi.grantHash(unhex(grants[0].grant)), v));
suite.check('the minute', ['epoch'], (v, data) => equal(int(v), Math.floor(int(data.timestamp) / 60)));
suite.check('the time', ['timestamp'], (v, data) => holds(data.requests.every((one) => one.sapi.includes(`"timestamp":${int(v)},`)), 'timestamp'));

// What a vector's request has signed, checked against its own tbs.
export function tbsOf(v, data) {
    const c = channel();
    const address = url.read(v.url);
    equal(url.write(address), v.url);
    const qlock = lock.readHeader(ascii(v.qlock));
    equal(lock.writeHeader(c, qlock.epoch, qlock), v.qlock);
    lock.verifyHeader(c, address, qlock);
    equal(qlock.epoch, int(data.epoch));
    const header = sapi.readHeader(ascii(v.sapi));
    equal(sapi.writeHeader(header), v.sapi);
    equal(header.alg, v.mode);
    equal(header.nonce, v.nonce);
    holds(same(header.nonce.subarray(0, 8), unhex(data.grant_hash).subarray(0, 8)), "the grant's nonce");
    const bodyMode = int(v.body_mode);
    const contentDigest = bodyMode === 1 ? sapi.readContentDigest(v.content_digest) : undefined;
    if (bodyMode === 1) equal(H(utf8(v.body)), Buffer.from(contentDigest).toString('hex'), 'digest of the body');
    if (bodyMode === 0) equal(v.body, '', 'body');
    holds(v.fields.every(([name]) => name !== ''), 'names of fields');
    const request = { method: v.method, url: address, fields: v.fields, bodyMode, contentDigest };
    return { header, tbs: sapi.toBeSigned(request, header, qlock, c.fingerprint), epoch: qlock.epoch, channel: c };
}

const keysFor = (data, c, epoch) => ({
    mac: c.grantKeys(unhex(data.grant_hash), epoch).c2s, session: session().ed, wallet: wallet(),
});

suite.each('request', ['requests'], (v, data) => {
    const { header, tbs, epoch, channel: c } = tbsOf(v, data);
    equal(tbs, v.tbs);
    sapi.verifySignature(v.mode, keysFor(data, c, epoch), tbs, header.signature);
    if (v.body_mode === '2') {
        const trailer = sapi.readTrailer(ascii(v.trailer), v.mode);
        equal(sapi.trailerMessage(tbs, trailer.digest), v.trailer_tbs);
        equal(trailer.digest, Buffer.from(H(utf8(v.body))).toString('hex'), 'digest in the trailer');
        sapi.verifySignature(v.mode, keysFor(data, c, epoch), sapi.trailerMessage(tbs, trailer.digest), trailer.signature);
    }
});
suite.each('fields', ['fields'], (v) => equal(sapi.fieldsDigest(v.fields), v.digest));

