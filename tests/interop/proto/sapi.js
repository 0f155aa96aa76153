// SAPI: grants, signed requests and signed answers (docs/protocol/sapi.md).
import { ascii, base64, concat, H, hex, hmac, LIST, need, same, TUP, u, unbase64, unhex, wellFormed } from './bytes.js';
import * as cbor from './cbor.js';
import { batchVerify, HSIG_BYTES, hsigVerify, usableKey, verifyEd25519 } from './hybrid.js';
import { readWalletDoc } from './identity.js';
import * as json from './json.js';
import { isHex, isText, isUint } from './lock.js';
import { isName } from './url.js';

export const MODES = { grant: 1, ed25519: 2, hybrid: 3 };
const SIGNATURE_BYTES = { grant: 32, ed25519: 64, hybrid: HSIG_BYTES };
const SAPI_MAX = 10240;

// --- grants -------------------------------------------------------------------------------------

const modes = (x) => cbor.list(0, 2, cbor.oneOf('grant', 'ed25519'))(x) && new Set(x).size === x.length;
const scope = (x) =>
    cbor.list(1, 32, cbor.text)(x) && (x.every(isName) || (x.length === 1 && x[0] === '*'));

const GRANT = {
    v: cbor.oneOf(1),
    cb: cbor.bytes(32),
    modes,
    nonce: cbor.bytes(16),
    scope,
    epochs: cbor.range(1, 60),
    spki_hash: cbor.bytes(32),
    timestamp: cbor.uint,
    tlsls_fpr: cbor.bytes(32),
    session_id: cbor.text,
    epoch_start: cbor.uint,
    session_key: cbor.bytes(32),
    wallet_address: cbor.text,
};
const GRANT_MAY = { creds: cbor.list(1, 4, (x) => cbor.bytes()(x) && x.length <= 8192), client_tlsls: cbor.bytes() };

export const readGrant = (wire) => ({ ...cbor.members(cbor.read(wire), GRANT, GRANT_MAY), wire, hash: grantHash(wire) });
export const grantHash = (wire) => H(TUP('httpcg-grant-hash/v1', wire));

export function readPosted(wire) {
    const item = cbor.read(wire);
    wellFormed(cbor.list(3, 3, cbor.bytes())(item) && item[2].length === HSIG_BYTES, 'posted grant');
    return { grant: readGrant(item[0]), walletDoc: item[1], signature: item[2] };
}

// The checks of a gateway that need nothing but the connection; the wallet's state on success.
export function verifyGrant(posted, channel) {
    const { grant } = posted;
    const ours =
        grant.session_id === channel.sessionId && same(grant.cb, channel.cb) &&
        same(grant.tlsls_fpr, channel.fingerprint) && same(grant.spki_hash, channel.spki);
    need(ours, 'BINDING', 'a grant for another connection');
    const wallet = readWalletDoc(posted.walletDoc);
    need(wallet.address === grant.wallet_address && !wallet.deactivated, 'MISMATCH', 'wallet');
    need(usableKey(grant.session_key), 'KEY');
    hsigVerify(wallet, 'grant', grant.wire, posted.signature);
    return wallet;
}

export function readAnswer(wire) {
    return cbor.members(cbor.read(wire), {
        v: cbor.oneOf(1),
        modes,
        epochs: cbor.range(1, 60),
        h2_ping: cbor.bool,
        grant_hash: cbor.bytes(32),
        server_did: cbor.text,
        policy_hash: (x) => cbor.text(x) && /^[0-9a-f]{64}$/.test(x),
        server_time: cbor.uint,
    });
}

export const proofMessage = (cb, hash, answer) => TUP('httpcg-channel-proof/v1', cb, hash, H(answer));

// The checks of a client; transport and did are those of the certificate it verified. confirmKey
// may be undefined where nobody kept the connection's secrets.
export function verifyAnswered(wire, grant, transport, did, confirmKey) {
    const item = cbor.read(wire);
    wellFormed(cbor.list(3, 3, cbor.bytes())(item) && item[1].length === 32, 'answer to a grant');
    const answer = readAnswer(item[0]);
    need(same(answer.grant_hash, grant.hash), 'MISMATCH', 'answer to another grant');
    const narrowed = answer.epochs <= grant.epochs && answer.modes.every((mode) => grant.modes.includes(mode));
    need(narrowed, 'MISMATCH', 'a wider answer than was asked for');
    if (confirmKey) need(same(hmac(confirmKey, item[0]), item[1]), 'SIGNATURE', 'confirm');
    batchVerify(transport, 'channel-proof', proofMessage(grant.cb, grant.hash, item[0]), item[2]);
    need(answer.server_did === did, 'MISMATCH', 'server_did');
    return answer;
}

// --- covered fields -----------------------------------------------------------------------------

const REQUEST_FIELDS = [
    'content-type', 'content-encoding', 'range', 'if-match', 'if-none-match', 'idempotency-key',
    'authorization', 'cookie', 'if-range',
];
const RESPONSE_FIELDS = [
    'content-type', 'content-encoding', 'content-range', 'location', 'etag', 'cache-control', 'set-cookie',
    'last-modified', 'content-disposition',
];

const valuesOf = (fields, name) =>
    fields.filter(([one]) => one === name).map(([, value]) => value.replace(/^[ \t]+|[ \t]+$/g, ''));
const present = (bytes) => concat(u(8, 1), bytes);

function single(fields, name) {
    const values = valuesOf(fields, name);
    wellFormed(values.length <= 1 || name === 'cookie', `${name} twice`);
    return values.length === 0 ? u(8, 0) : present(ascii(values.join('; ')));
}

export const fieldsDigest = (fields) =>
    H(TUP('httpcg-fields/v1', ...REQUEST_FIELDS.map((name) => single(fields, name))));

export const responseFieldsDigest = (fields) =>
    H(
        TUP(
            'httpcg-resp-fields/v1',
            ...RESPONSE_FIELDS.map((name) => {
                const cookies = valuesOf(fields, 'set-cookie');
                if (name !== 'set-cookie') return single(fields, name);
                return cookies.length === 0 ? u(8, 0) : present(LIST(...cookies));
            }),
        ),
    );

// The sha-256 member of Content-Digest (RFC 9530), which is a base64 byte sequence and no more.
export function readContentDigest(value) {
    const members = value.split(',').map((one) => one.trim());
    const ours = members.filter((one) => one.startsWith('sha-256='));
    const found = ours.length === 1 && /^sha-256=:([A-Za-z0-9+/=]*):$/.exec(ours[0]);
    wellFormed(found, 'Content-Digest');
    const digest = unbase64(found[1]);
    wellFormed(digest.length === 32, 'Content-Digest');
    return digest;
}
export const writeContentDigest = (digest) => `sha-256=:${base64(digest)}:`;

// --- requests -----------------------------------------------------------------------------------

export function readHeader(bytes) {
    wellFormed(bytes.length <= SAPI_MAX, 'SAPI too long');
    const sapi = json.members(json.read(bytes, json.IN_HEADER), {
        wallet_address: isText,
        timestamp: isUint,
        nonce: isHex(16),
        signature: isText,
        alg: (x) => Object.hasOwn(MODES, x),
    });
    return { ...sapi, nonce: unhex(sapi.nonce), signature: unhex(sapi.signature, SIGNATURE_BYTES[sapi.alg]) };
}

export const writeHeader = (sapi) =>
    `{"wallet_address":"${sapi.wallet_address}","timestamp":${sapi.timestamp},"nonce":"${hex(sapi.nonce)}",` +
    `"signature":"${hex(sapi.signature)}","alg":"${sapi.alg}"}`;

// What a request signs. request: { method, url, fields, bodyMode, contentDigest }; lock: the QLOCK
// header's parts.
export const toBeSigned = (request, sapi, lock, fingerprint) =>
    TUP(
        'httpcg-sapi/v1',
        u(8, MODES[sapi.alg]), sapi.wallet_address, u(64, sapi.timestamp), sapi.nonce,
        lock.sessionId, u(64, lock.epoch), lock.hash, fingerprint,
        request.method, request.url.plane, request.url.authority, request.url.path, request.url.query,
        u(8, request.bodyMode), request.bodyMode === 1 ? request.contentDigest : '', fieldsDigest(request.fields),
    );

// keys: { mac (of the request's minute), session, wallet }.
export function verifySignature(alg, keys, message, signature) {
    if (alg === 'grant') need(same(hmac(keys.mac, message), signature), 'SIGNATURE', 'MAC');
    else if (alg === 'ed25519') need(verifyEd25519(keys.session, message, signature), 'SIGNATURE', 'session key');
    else hsigVerify(keys.wallet, 'sapi-request', message, signature);
}

export const trailerMessage = (tbs, digest) => TUP('httpcg-sapi-trailer/v1', H(tbs), digest);

export function readTrailer(bytes, alg) {
    wellFormed(bytes.length <= SAPI_MAX, 'SAPI-Trailer too long');
    const trailer = json.members(json.read(bytes, json.IN_HEADER), { digest: isText, signature: isText });
    const digest = unbase64(trailer.digest);
    wellFormed(digest.length === 32, 'digest');
    return { digest, signature: unhex(trailer.signature, SIGNATURE_BYTES[alg]) };
}

// --- answers ------------------------------------------------------------------------------------

const RESPONSE_MAX = 20480;

export function readResponse(bytes) {
    wellFormed(bytes.length <= RESPONSE_MAX, 'SAPI-Response too long');
    const response = json.members(json.read(bytes, json.IN_HEADER), {
        alg: (x) => x === 'grant' || x === 'hybrid',
        timestamp: isUint,
        nonce: isHex(16),
        signature: isText,
    });
    return { ...response, nonce: unhex(response.nonce), signature: unhex(response.signature) };
}

export const writeResponse = (response) =>
    `{"alg":"${response.alg}","timestamp":${response.timestamp},"nonce":"${hex(response.nonce)}",` +
    `"signature":"${hex(response.signature)}"}`;

const trailersDigest = (trailers) =>
    H(TUP('httpcg-resp-trailers/v1', LIST(...trailers.map(([name]) => name)), LIST(...trailers.map(([, value]) => value))));

// answer: { status, fields, bodyMode, contentDigest, trailers (the backend's) }.
export function responseToBeSigned(answer, response, requestTbs) {
    const parts = [
        u(8, MODES[response.alg]), H(requestTbs), u(64, response.timestamp), u(16, answer.status),
        u(8, answer.bodyMode), answer.bodyMode === 0 ? '' : answer.contentDigest, responseFieldsDigest(answer.fields),
    ];
    if (answer.bodyMode === 2) parts.push(trailersDigest(answer.trailers));
    return TUP('httpcg-sapi-resp/v1', ...parts);
}

// keys: { mac (of the request's minute), transport }.
export function verifyResponse(response, request, tbs, keys) {
    need(same(response.nonce, request.nonce), 'MISMATCH', 'answer to another request');
    need(request.alg !== 'hybrid' || response.alg === 'hybrid', 'SIGNATURE', 'a weaker answer');
    if (response.alg === 'grant') need(same(hmac(keys.mac, tbs), response.signature), 'SIGNATURE', 'MAC');
    else batchVerify(keys.transport, 'sapi-response', tbs, response.signature);
}

