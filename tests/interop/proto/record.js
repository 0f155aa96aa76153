// Registry records and the answers that carry them (docs/protocol/record.md).
import { Fault, H, LIST, need, same, TUP, u, unbase64, unhex, wellFormed } from './bytes.js';
import * as cbor from './cbor.js';
import { anchorOf, commitment, readAnchor } from './cert.js';
import { HSIG_BYTES, hsigVerify } from './hybrid.js';
import { isDid, prove } from './identity.js';
import * as json from './json.js';
import { isCurrent, verify as verifyStaple } from './staple.js';
import { isTargetHost, isTargetPort } from './target.js';
import { isName } from './url.js';

const ANSWER_MAX = 256 * 1024;
const LIFE_MAX_S = 30 * 86400;
const SKEW_S = 300;

// --- dates --------------------------------------------------------------------------------------

export function readDate(text) {
    const form = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(text);
    const seconds = Date.parse(text) / 1000;
    // Date.parse rolls over what the calendar does not have.
    wellFormed(form && seconds >= 0 && writeDate(seconds) === text, 'date');
    return seconds;
}
export const writeDate = (seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

// --- the record ---------------------------------------------------------------------------------

const isText = (x) => typeof x === 'string';
const isInt = (least, most) => (x) => typeof x === 'number' && x >= least && x <= most;
const isHexOf = (bytes) => (x) => isText(x) && x.length === 2 * bytes && /^[0-9a-f]*$/.test(x);
const isProfile = (x) => isText(x) && /^[a-z0-9][a-z0-9._-]{0,62}$/.test(x);
const isAuth = (x) => /^(webpki|spki:[0-9a-f]{64})$/.test(x) || (x.startsWith('tlsls:') && isDid(x.slice(6)));
const isPrintable = (x) => /^[ !#-[\]-~]{0,253}$/.test(x);

function isGateway(text) {
    const [, host, port] = /^([^:]*):([1-9][0-9]{0,4})$/.exec(text) ?? [];
    return host !== undefined && isTargetHost(host) && Number(port) <= 65535;
}

// The rules that both forms of a record share. r has times in seconds.
function checkMembers(r) {
    const gone = r.target_host === '';
    wellFormed(r.plane !== 'gw' && isName(`${r.plane}/${r.httpcg_host}`), 'name');
    wellFormed(isPrintable(r.target_host), 'target_host');
    wellFormed(r.target_port <= 65535 && (gone || r.target_port >= 1), 'target_port');
    wellFormed(isDid(r.rp_did) && isProfile(r.rbac_profile), 'rp_did or rbac_profile');
    readAnchor(r.bpi_anchor);
    wellFormed(r.expires_at <= readDate('9999-12-31T23:59:59Z'), 'a year of five digits');
    wellFormed(r.issued_at < r.expires_at && r.expires_at - r.issued_at <= LIFE_MAX_S, 'span of validity');
    wellFormed(r.serial >= 1 && r.serial <= Number.MAX_SAFE_INTEGER && r.ttl <= 3600, 'serial or ttl');
    for (const [list, fits] of [[r.gateway_dids, isDid], [r.gateways, isGateway]])
        wellFormed(list.length <= 16 && list.every(fits) && (gone || list.length >= 1), 'gateways');
    wellFormed(isAuth(r.target_auth), 'target_auth');
    return r;
}

const isList = (x) => Array.isArray(x) && x.every(isText);
const JSON_SCHEMA = {
    httpcg_host: isText, target_host: isText, target_port: isInt(0, 65535), rp_did: isText,
    tlsls_required: (x) => typeof x === 'boolean', rbac_profile: isText, bpi_anchor: isText,
    expires_at: isText, signature: isHexOf(HSIG_BYTES), plane: isText, serial: isInt(1, Number.MAX_SAFE_INTEGER),
    issued_at: isText, ttl: isInt(0, 3600), gateway_dids: isList, gateways: isList, target_auth: isText,
    owner_signature: isHexOf(HSIG_BYTES),
};

export function fromJson(object) {
    const r = json.members(object, JSON_SCHEMA);
    return checkMembers({
        ...r,
        issued_at: readDate(r.issued_at),
        expires_at: readDate(r.expires_at),
        owner_signature: unhex(r.owner_signature),
        signature: unhex(r.signature),
    });
}

// R(anchor, osig).
export const signedBytes = (r, anchor, osig) =>
    TUP(
        'httpcg-registry-record/v1',
        r.httpcg_host, r.target_host, u(16, r.target_port), r.rp_did, u(8, r.tlsls_required ? 1 : 0), r.rbac_profile,
        anchor, u(64, r.expires_at), r.plane, u(64, r.serial), u(64, r.issued_at), u(32, r.ttl),
        LIST(...r.gateway_dids), LIST(...r.gateways), r.target_auth, osig,
    );

export const commitmentOf = (r) => commitment('registry', signedBytes(r, '', ''));
export const ownerBytes = (r) => signedBytes(r, r.bpi_anchor, '');
export const operatorBytes = (r) => signedBytes(r, r.bpi_anchor, H(r.owner_signature));
export const objectDigest = (r) => H(TUP('httpcg-object/v1', '', ownerBytes(r)));

// --- the ledger's object ------------------------------------------------------------------------

// Cuts fields of a tuple or list off the front of what is left of it.
class Fields {
    constructor(bytes) {
        this.left = bytes;
    }

    take(n) {
        wellFormed(n <= this.left.length, 'tuple ends early');
        const out = this.left.subarray(0, n);
        this.left = this.left.subarray(n);
        return out;
    }

    number(n) {
        return this.take(n).reduce((sum, byte) => sum * 256 + byte, 0);
    }

    field(length) {
        const n = this.number(4);
        wellFormed(length === undefined || n === length, 'length of a field');
        return this.take(n);
    }

    text() {
        const bytes = this.field();
        wellFormed(bytes.every((byte) => byte >= 0x20 && byte <= 0x7e), 'text');
        return String.fromCharCode(...bytes);
    }

    integer(length) {
        const n = new Fields(this.field(length)).number(length);
        wellFormed(Number.isSafeInteger(n), 'integer');
        return n;
    }

    list() {
        const of = new Fields(this.field());
        const out = Array.from({ length: of.number(2) }, () => of.text());
        of.end();
        return out;
    }

    end() {
        wellFormed(this.left.length === 0, 'tuple goes on behind its end');
    }
}

function fromSignedBytes(wire) {
    const f = new Fields(wire);
    wellFormed(f.text() === 'httpcg-registry-record/v1' && f.number(1) === 16, 'label');
    const r = {
        httpcg_host: f.text(), target_host: f.text(), target_port: f.integer(2), rp_did: f.text(),
        tlsls_required: f.integer(1), rbac_profile: f.text(), bpi_anchor: f.text(), expires_at: f.integer(8),
        plane: f.text(), serial: f.integer(8), issued_at: f.integer(8), ttl: f.integer(4),
        gateway_dids: f.list(), gateways: f.list(), target_auth: f.text(),
    };
    wellFormed(f.field().length === 0, 'not the owner\'s bytes');
    f.end();
    wellFormed(r.tlsls_required <= 1, 'tlsls_required');
    return checkMembers({ ...r, tlsls_required: r.tlsls_required === 1 });
}

export function fromObject(wire) {
    const item = cbor.read(wire);
    wellFormed(cbor.list(3, 3, cbor.bytes())(item), 'registry object');
    const [signed, ownerSignature, signature] = item;
    wellFormed(ownerSignature.length === HSIG_BYTES && signature.length === HSIG_BYTES, 'signatures');
    return { ...fromSignedBytes(signed), owner_signature: ownerSignature, signature };
}

export const toObject = (r) => cbor.write([ownerBytes(r), r.owner_signature, r.signature]);

// --- answers ------------------------------------------------------------------------------------

const ANSWER = {
    record: (x) => typeof x === 'object', staple: isText, wallet_doc: isText, operator_did: isDid, operator_doc: isText,
};

function readAnswer(status, body) {
    wellFormed(body.length <= ANSWER_MAX, 'answer too large');
    const object = json.read(body);
    if (status === 200) return json.members(object, ANSWER);
    const { type, title, instance, status: said, ...rest } = object;
    wellFormed(isText(type) && type.endsWith('/name-unresolved') && isText(rest.staple), 'no proof');
    wellFormed(said === 404 && isText(title) && isText(instance), 'problem');
    return 'record' in rest ? json.members(rest, ANSWER) : json.members(rest, { staple: isText });
}

function judge(step, action) {
    try {
        return action();
    } catch (fault) {
        fault.step = step;
        throw fault;
    }
}

// Judges what a registry answered about plane/authority. how: { trust, now, maxAge, seen: { serial,
// commitment }, isLocal }. Gives { record, staple } for a name that lives, { gone: true } for a
// denial that holds.
export function resolve(name, status, body, how) {
    const { trust, now, seen } = how;
    const [answer, r] = judge('form', () => {
        const read = readAnswer(status, body);
        return [read, read.record && fromJson(read.record)];
    });
    if (!r) return denied(name, answer, how);

    judge('name', () => need(`${r.plane}/${r.httpcg_host}` === name, 'MISMATCH', 'another name'));
    const isTombstone = r.target_host === '';
    judge('times', () => {
        need(r.issued_at <= now + SKEW_S, 'EARLY');
        if (status === 200) need(now < r.expires_at, 'EXPIRED');
        else need(isTombstone || now >= r.expires_at, 'CONFLICT', 'a name that lives');
    });
    const c = commitmentOf(r);
    judge('serial', () => {
        need(r.serial >= seen.serial, 'ROLLBACK');
        need(r.serial !== seen.serial || same(c, seen.commitment), 'CONFLICT', 'one serial, two records');
    });
    judge('operator', () => need(trust.registries.some((one) => one.did === answer.operator_did), 'UNKNOWN'));
    const [owner, operator] = judge('keys', () => [
        prove(r.rp_did, unbase64(answer.wallet_doc)),
        prove(answer.operator_did, unbase64(answer.operator_doc)),
    ]);
    judge('signatures', () => {
        hsigVerify(owner, 'registry-owner', ownerBytes(r), r.owner_signature);
        hsigVerify(operator, 'registry-operator', operatorBytes(r), r.signature);
    });
    judge('anchor', () => {
        const anchor = readAnchor(r.bpi_anchor);
        need(same(anchor.commitment, c), 'PROOF', 'anchor of other content');
        need(trust.logs.some((one) => one.id === anchor.logId), 'UNKNOWN', 'log');
    });
    const staple = checkStaple(answer, [['reg', name], ['did', owner.address], ['did', operator.address]], how, (entry, log) => {
        const isOurs = entry.kind === 'registry' && entry.subject === name && same(entry.commitment, c);
        need(isOurs && anchorOf(unhex(log.id), c) === r.bpi_anchor, 'MISMATCH', 'entry of another');
        need(same(entry.objectDigest, objectDigest(r)), 'MISMATCH', 'object of another');
    });
    judge('current', () => {
        const [current, ...keys] = staple.values;
        need(current !== null && same(current, c), 'STALE', 'superseded');
        need(isCurrent(owner, keys[0]) && isCurrent(operator, keys[1]), 'STALE', 'keys that were changed');
    });
    if (status === 404) return { gone: true, record: r, staple };
    judge('target', () => {
        if (isTombstone) throw new Fault('NOT_FOUND', 'tombstone');
        if (how.isLocal) return;
        need(isTargetHost(r.target_host) && isTargetPort(r.target_port), 'TARGET');
    });
    return { record: r, owner, operator, staple };
}

function denied(name, answer, how) {
    const staple = checkStaple(answer, [['reg', name]], how, null);
    judge('current', () => need(staple.values[0] === null, 'CONFLICT', 'a name that is there'));
    judge('serial', () => need(how.seen.serial === 0, 'ROLLBACK', 'names never leave the map'));
    return { gone: true, staple };
}

// The steps of a staple, by the names that the answer's checks have for them.
function checkStaple(answer, asks, how, entry) {
    try {
        return verifyStaple(unbase64(answer.staple), asks, { ...how, hasEntry: entry !== null, entry });
    } catch (fault) {
        fault.step = { inclusion: 'inclusion', map: 'current' }[fault.step] ?? 'checkpoint';
        throw fault;
    }
}

