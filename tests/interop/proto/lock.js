// QLOCK: what both ends of a connection derive (docs/protocol/qlock.md).
import { expand, extract, H, hex, need, TUP, u, unhex, wellFormed } from './bytes.js';
import * as json from './json.js';

const HEADER_MAX = 512;

export const isUint = (x) => typeof x === 'number';
export const isText = (x) => typeof x === 'string';
export const isHex = (bytes) => (x) => isText(x) && x.length === 2 * bytes && /^[0-9a-f]*$/.test(x);
const isUuid = (x) => isText(x) && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(x);

// A connection's secrets and public values, from its exporter.
export class Channel {
    constructor(exporter, spki, fingerprint) {
        this.spki = spki;
        this.fingerprint = fingerprint;
        this.prk = extract('httpcg-qlock/v1', exporter);
        this.cb = this.derive('httpcg-cb/v1');
        const id = expand(this.prk, TUP('httpcg-session-id/v1'), 16);
        id[6] = (id[6] & 0x0f) | 0x80;
        id[8] = (id[8] & 0x3f) | 0x80;
        this.sessionId = hex(id).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    }

    derive(label, ...more) {
        return expand(this.prk, TUP(label, this.spki, this.fingerprint, ...more));
    }

    lock(url, epoch) {
        const route = H(TUP('httpcg-route/v1', url.plane, url.authority, url.path));
        const info = TUP('httpcg-qlock/v1', this.spki, this.fingerprint, route, u(64, epoch));
        const qlk = expand(this.prk, info);
        const key = expand(qlk, TUP('httpcg-qlock-session'));
        return { route, info, qlk, key, hash: H(key) };
    }

    grantKeys(grantHash, epoch) {
        const gk = this.derive('httpcg-grant/v1', grantHash);
        return {
            gk,
            c2s: expand(gk, TUP('c2s mac', u(64, epoch))),
            s2c: expand(gk, TUP('s2c mac', u(64, epoch))),
            conf: expand(gk, TUP('s2c confirm')),
        };
    }
}

export function readHeader(bytes) {
    wellFormed(bytes.length <= HEADER_MAX, 'QLOCK too long');
    const lock = json.members(json.read(bytes, json.IN_HEADER), {
        session_id: isUuid,
        minute_epoch: isUint,
        qlock_hash: isHex(32),
    });
    return { sessionId: lock.session_id, epoch: lock.minute_epoch, hash: unhex(lock.qlock_hash) };
}

export const writeHeader = (channel, epoch, lock) =>
    `{"session_id":"${channel.sessionId}","minute_epoch":${epoch},"qlock_hash":"${hex(lock.hash)}"}`;

export function verifyHeader(channel, url, header) {
    need(header.sessionId === channel.sessionId, 'BINDING', 'session_id');
    need(hex(header.hash) === hex(channel.lock(url, header.epoch).hash), 'BINDING', 'qlock_hash');
}
