// TLSLS certificates (docs/protocol/cert.md).
import { H, hex, need, same, TUP, unhex, wellFormed } from './bytes.js';
import * as cbor from './cbor.js';
import * as cose from './cose.js';
import { usableKey } from './hybrid.js';
import { isDid, prove } from './identity.js';

const ROLES = ['gateway', 'rp', 'relay', 'registry', 'wallet', 'm2m'];
const LIFE_MAX_S = 7776000;
const SKEW_S = 300;

const isHex32 = (x) => typeof x === 'string' && /^[0-9a-f]{64}$/.test(x);
const isAnchor = (x) => typeof x === 'string' && /^bpi1:[0-9a-f]{16}:[0-9a-f]{64}$/.test(x);

export const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`);
export const isDnsName = (x) => typeof x === 'string' && x.length <= 253 && NAME.test(x);

const SCHEMA = {
    v: cbor.oneOf(1),
    role: cbor.oneOf(...ROLES),
    spki: cbor.list(1, 4, cbor.bytes(32)),
    names: cbor.list(0, 16, isDnsName),
    serial: cbor.bytes(16),
    issued_at: cbor.uint,
    bpi_anchor: isAnchor,
    expires_at: cbor.uint,
    issuer_did: isDid,
    policy_hash: isHex32,
    subject_did: isDid,
    public_key_ed25519: cbor.bytes(32),
    public_key_dilithium: cbor.bytes(2592),
};

// --- anchors ------------------------------------------------------------------------------------

export const logId = (origin, key) =>
    H(TUP('httpcg-log-id/v1', origin, key.ed, H(key.ml))).subarray(0, 8);
export const commitment = (kind, body) => H(TUP('httpcg-anchor/v1', kind, body));
export const anchorOf = (id, c) => `bpi1:${hex(id)}:${hex(c)}`;

// The parts of an anchor: the log's id in hex, and what it commits to.
export function readAnchor(anchor) {
    wellFormed(isAnchor(anchor), 'anchor');
    return { logId: anchor.slice(5, 21), commitment: unhex(anchor.slice(22)) };
}

export const withoutAnchor = (payload) => {
    const map = cbor.read(payload);
    map.set('bpi_anchor', '');
    return cbor.write(map);
};

// --- certificates -------------------------------------------------------------------------------

export const fingerprintOf = (document) => H(TUP('httpcg-tlsls-fpr/v1', document.body, document.payload));

export function read(wire) {
    const document = cose.read(wire, 'tlsls');
    const fields = cbor.members(cbor.read(document.payload), SCHEMA);
    wellFormed(fields.issuer_did === fields.subject_did, 'issuer is not the subject');
    return {
        ...fields,
        document,
        fingerprint: fingerprintOf(document),
        transport: { ed: fields.public_key_ed25519, ml: fields.public_key_dilithium },
    };
}

// Every check but the staple's, in the order of the document. expected: { now, role, spki, name,
// subjects, walletDoc, logIds }.
export function verify(cert, expected) {
    need(cert.role === expected.role, 'ROLE');
    const span = cert.expires_at - cert.issued_at;
    wellFormed(span > 0 && span <= LIFE_MAX_S, 'span of validity');
    need(cert.issued_at <= expected.now + SKEW_S, 'EARLY');
    need(expected.now < cert.expires_at, 'EXPIRED');
    need(cert.spki.some((one) => same(one, expected.spki)), 'BINDING');
    need(cert.names.includes(expected.name), 'MISMATCH', 'name');
    need(expected.subjects.includes(cert.subject_did), 'DENIED');
    const owner = prove(cert.subject_did, expected.walletDoc);
    need(usableKey(cert.transport.ed), 'KEY');
    cose.verify(cert.document, owner);
    const anchor = readAnchor(cert.bpi_anchor);
    const c = commitment('tlsls', withoutAnchor(cert.document.payload));
    need(same(c, anchor.commitment), 'PROOF', 'anchor of other content');
    need(expected.logIds.includes(anchor.logId), 'UNKNOWN', 'anchor in another log');
    return owner;
}

export const referenceOf = (cert) =>
    cbor.write({
        v: 1,
        bpi_anchor: cert.bpi_anchor,
        issuer_did: cert.issuer_did,
        policy_hash: cert.policy_hash,
        certificate_id: cert.fingerprint,
    });

export function jsonView(cert) {
    const view = {};
    const text = (x) => (x instanceof Uint8Array ? hex(x) : Array.isArray(x) ? x.map(text) : x);
    for (const name of Object.keys(SCHEMA)) view[name] = text(cert[name]);
    view.signature = hex(cert.document.ed25519) + hex(cert.document.mldsa87);
    return view;
}
