// What `./dev run --check --save DIR` kept: the objects of a live instance, verified as somebody
// would who has nothing but the trust file, and the connection's secrets for what is symmetric.
//
//   trust.conf                      whom to believe
//   checkpoint.txt, entries         the ledger's head and, as a bundle, all entries below it
//   resolve.json, denial.json       the registry's answers for the name, and for one that nobody has
//   gateway.tlsls, gateway.policy   the gateway's certificate as it was served, its policy
//   web-default.policy, .state.cbor the name's profile, and the ledger's statement that it is current
//   connection.json                 a connection's exporter secret, and the hash of its TLS key
//   grant.cbor, grant-answer.cbor   what was posted on it, and the answer
//   request.json, answer.json       a signed request on it, and its signed answer
//   backend.json                    the same request as the backend saw it, and the secret it shares
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVerifier, httpbis } from 'http-message-signatures';
import { equal, holds, Suite } from './harness.js';
import { ascii, H, hex, need, same, unhex, utf8 } from './proto/bytes.js';
import * as cbor from './proto/cbor.js';
import * as cert from './proto/cert.js';
import * as cose from './proto/cose.js';
import { prove } from './proto/identity.js';
import { Channel, readHeader as readLock, verifyHeader as verifyLock } from './proto/lock.js';
import { checkProof, headOf, leafHash, mapKey, mapRoot, pairSetBy, readBundle, readEntry, readProof } from './proto/merkle.js';
import { readNote, readTrust, verifyNote } from './proto/note.js';
import * as policy from './proto/policy.js';
import * as record from './proto/record.js';
import * as sapi from './proto/sapi.js';
import * as staple from './proto/staple.js';
import * as url from './proto/url.js';

const NAME = 'app/demo.local';
const ABSENT = 'app/nobody.local';
const GATEWAY = 'localhost'; // its name in TLS

// --- reading ------------------------------------------------------------------------------------

// Fields as an object, so that one can say which of them are covered: name to list of values.
function byName(fields) {
    const out = {};
    for (const [name, value] of fields) (out[name.toLowerCase()] ??= []).push(value);
    return out;
}
const asPairs = (fields) => Object.entries(fields).flatMap(([name, values]) => values.map((value) => [name, value]));

function load(folder) {
    const bytes = (name) => readFileSync(join(folder, name));
    const json = (name) => JSON.parse(bytes(name).toString('utf8'));
    const data = {};
    for (const name of [
        'entries', 'gateway.tlsls', 'gateway.policy', 'web-default.policy', 'web-default.state.cbor', 'grant.cbor', 'grant-answer.cbor',
    ])
        data[name] = hex(bytes(name));
    for (const name of ['checkpoint.txt', 'resolve.json', 'denial.json']) data[name] = bytes(name).toString('utf8');
    data['trust.conf'] = bytes('trust.conf').toString('utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    data['connection.json'] = json('connection.json');
    for (const name of ['request.json', 'answer.json', 'backend.json']) {
        data[name] = json(name);
        data[name].fields = byName(data[name].fields);
    }
    return data;
}

// --- what the checks below share ----------------------------------------------------------------

const trustOf = (data) => readTrust(data['trust.conf'].join('\n'));
const certOf = (data) => cert.read(unhex(data['gateway.tlsls']));
const channelOf = (data) =>
    new Channel(unhex(data['connection.json'].exporter, 32), unhex(data['connection.json'].spki, 32), certOf(data).fingerprint);
const postedOf = (data) => sapi.readPosted(unhex(data['grant.cbor']));
// When it all happened: the gateway's own clock, in what it signed.
const answerOf = (data) => sapi.readAnswer(cbor.read(unhex(data['grant-answer.cbor']))[0]);
const nowOf = (data) => answerOf(data).server_time;
const first = { serial: 0, commitment: new Uint8Array(32) };
const howOf = (data) => ({ trust: trustOf(data), now: nowOf(data), maxAge: 0, seen: first, isLocal: false });
const resolved = (data) => record.resolve(NAME, 200, utf8(data['resolve.json']), howOf(data));

function readPolicy(wire, owner) {
    const document = cose.read(unhex(wire), 'policy');
    cose.verify(document, owner);
    return { document, policy: policy.fromCbor(document.payload), hash: hex(policy.hashOf(document.payload)) };
}

// The caller's request as it was signed; verified, with what its answer is bound to.
function signedRequest(data) {
    const [channel, posted] = [channelOf(data), postedOf(data)];
    const request = data['request.json'];
    const one = (name) => {
        const values = request.fields[name] ?? [];
        equal(values.length, 1, `lines of ${name}`);
        return ascii(values[0]);
    };
    const target = url.read(request.url);
    equal(url.write(target), request.url, 'canonical');
    equal(`${target.plane}/${target.authority}`, NAME);
    const lock = readLock(one('qlock'));
    verifyLock(channel, target, lock);
    const header = sapi.readHeader(one('sapi'));
    equal(header.wallet_address, posted.grant.wallet_address);
    holds(same(header.nonce.subarray(0, 8), posted.grant.hash.subarray(0, 8)), "the grant's nonce");
    holds(lock.epoch >= posted.grant.epoch_start && lock.epoch < posted.grant.epoch_start + posted.grant.epochs, 'minute');
    const contentDigest = sapi.readContentDigest(request.fields['content-digest'][0]);
    equal(H(unhex(request.body)), hex(contentDigest), 'digest of the body');
    const told = { method: request.method, url: target, fields: asPairs(request.fields), bodyMode: 1, contentDigest };
    const tbs = sapi.toBeSigned(told, header, lock, channel.fingerprint);
    const keys = channel.grantKeys(posted.grant.hash, lock.epoch);
    sapi.verifySignature(header.alg, { mac: keys.c2s, session: posted.grant.session_key }, tbs, header.signature);
    return { header, tbs, keys, target };
}

const SIGNED = ['qlock', 'sapi', 'content-digest', 'content-type'];
const ANSWERED = ['sapi-response', 'content-digest', 'content-type'];
const others = (fields, covered) => Object.keys(fields).filter((name) => !covered.includes(name));

// --- the checks ---------------------------------------------------------------------------------

export default function live(folder) {
    const suite = new Suite('live', load(folder));
    suite.places = 64;

    suite.check('the trust file names a log and a registry', ['trust.conf'], (_, data) => {
        const trust = trustOf(data);
        equal(`${trust.logs.length} ${trust.registries.length}`, '1 1');
        resolved(data); // which uses all of it
    });

    suite.check('the checkpoint has both signatures of the log', ['checkpoint.txt'], (text, data) => {
        const trust = trustOf(data);
        verifyNote(readNote(utf8(text)), trust.logs[0], trust, nowOf(data));
    });

    suite.check('the entries give the root, and replayed the map of each head', ['entries'], (wire, data) => {
        const note = readNote(utf8(data['checkpoint.txt']));
        const wires = readBundle(unhex(wire));
        equal(wires.length, note.size, 'number of entries');
        equal(headOf(wires.map(leafHash)), hex(note.root), 'root');
        replay(wires.map(readEntry), data);
    });

    suite.check("the gateway's certificate, for this TLS key and name", ['gateway.tlsls'], (_, data) => {
        const one = certOf(data);
        const { walletDoc, proof } = { walletDoc: one.document.unsigned.wallet_doc, proof: one.document.unsigned.staple };
        const trust = trustOf(data);
        const found = resolved(data);
        const owner = cert.verify(one, {
            now: nowOf(data), role: 'gateway', spki: unhex(data['connection.json'].spki), name: GATEWAY,
            subjects: found.record.gateway_dids, walletDoc, logIds: trust.logs.map((log) => log.id),
        });
        const asks = [['tlsls-rev', hex(one.fingerprint)], ['did', owner.address]];
        const entry = (entry_) => {
            const c = cert.readAnchor(one.bpi_anchor).commitment;
            const isOurs = entry_.kind === 'tlsls' && entry_.subject === one.subject_did && same(entry_.commitment, c);
            need(isOurs && same(entry_.objectDigest, cose.objectDigest(one.document)), 'MISMATCH', 'entry of another');
        };
        const { values } = staple.verify(proof, asks, { ...howOf(data), seen: null, hasEntry: true, entry });
        equal(values[0], null, 'revocation');
        holds(staple.isCurrent(owner, values[1]), "the DID's keys are the newest");
    });

    suite.check("the gateway's policy is the one its certificate names", ['gateway.policy'], (wire, data) => {
        const one = certOf(data);
        const { policy: read, hash } = readPolicy(wire, prove(one.subject_did, one.document.unsigned.wallet_doc));
        equal(hash, one.policy_hash);
        equal(`${read.kind} ${read.owner}`, `gateway ${one.subject_did}`);
    });

    suite.check("the name's record, with owner, registry and ledger behind it", ['resolve.json'], (_, data) => {
        const { record: r } = resolved(data);
        equal(`${r.plane}/${r.httpcg_host} ${r.target_host} ${r.tlsls_required}`, `${NAME} demo.local true`);
        holds(r.gateway_dids.includes(certOf(data).subject_did), 'the gateway may speak for the name');
    });

    // How a problem is worded is nobody's business; what is proved is in the staple.
    const span = (text) => [text.indexOf('"staple":"') + 10, text.lastIndexOf('"')];
    suite.check('a name that nobody has is denied with a proof', ['denial.json'], (text, data) => {
        const done = record.resolve(ABSENT, 404, utf8(text), howOf(data));
        holds(done.gone && !done.record, 'absence');
    }, { span });

    suite.check("the name's profile, current in the ledger and signed by the owner", ['web-default.policy'], profile);
    suite.check("the ledger's statement about it", ['web-default.state.cbor'], profile);

    suite.check("the TLS key is the certificate's", ['connection.json'], (_, data) => {
        holds(certOf(data).spki.some((one) => same(one, unhex(data['connection.json'].spki))), 'spki');
        sapi.verifyGrant(postedOf(data), channelOf(data));
    });

    suite.check("the wallet's grant, for this connection", ['grant.cbor'], (_, data) => {
        const { grant } = postedOf(data);
        sapi.verifyGrant(postedOf(data), channelOf(data));
        holds(grant.scope.includes(NAME) || grant.scope[0] === '*', 'scope');
        holds(Math.abs(grant.timestamp - nowOf(data)) <= 300, 'timestamp');
        holds(Math.floor(nowOf(data) / 60) - grant.epoch_start <= 1, 'epoch_start');
    });

    suite.check("the gateway's answer proves the channel", ['grant-answer.cbor'], (wire, data) => {
        const [one, channel] = [certOf(data), channelOf(data)];
        const { grant } = postedOf(data);
        const { conf } = channel.grantKeys(grant.hash, grant.epoch_start);
        const answer = sapi.verifyAnswered(unhex(wire), grant, one.transport, one.subject_did, conf);
        equal(answer.policy_hash, one.policy_hash, 'policy');
    });

    suite.check('the request is signed for this connection, route and minute', ['request.json'], (v, data) => {
        const { target, header } = signedRequest(data);
        const { policy: rules } = readPolicy(data['web-default.policy'], resolved(data).owner);
        const decision = policy.decide(rules, {
            name: NAME, method: v.method, path: target.path, wallet: header.wallet_address, mode: header.alg,
            scope: postedOf(data).grant.scope, bodyMode: 1, bodyLength: v.body.length / 2, rttUs: 0, now: nowOf(data),
            least: 'grant', creds: [],
        });
        equal(decision.verdict, 'OK', 'the profile allows it');
    }, { inert: others(suite.data['request.json'].fields, SIGNED) });

    suite.check('the answer is signed for this request', ['answer.json'], (v, data) => {
        const { header, tbs, keys } = signedRequest(data);
        equal(v.status, 200);
        equal((v.fields['sapi-response'] ?? []).length, 1, 'lines of SAPI-Response');
        const response = sapi.readResponse(ascii(v.fields['sapi-response'][0]));
        const contentDigest = sapi.readContentDigest(v.fields['content-digest'][0]);
        equal(H(unhex(v.body)), hex(contentDigest), 'digest of the body');
        const answer = { status: v.status, fields: asPairs(v.fields), bodyMode: 1, contentDigest };
        const signed = sapi.responseToBeSigned(answer, response, tbs);
        sapi.verifyResponse(response, header, signed, { mac: keys.s2c, transport: certOf(data).transport });
    }, { inert: others(suite.data['answer.json'].fields, ANSWERED) });

    const told = suite.data['backend.json'];
    const unsigned = Object.keys(told.fields).filter((name) => !/^(x-httpcg-.*|signature|signature-input|content-digest)$/.test(name));
    suite.check('the backend got it with the signature of the gateway', ['backend.json'], backend, { inert: [...unsigned, 'time'] });
    return suite;
}

// Every map-head must name the root and size of the map that the entries before it make.
function replay(entries, data) {
    const policies = [data['gateway.policy'], data['web-default.policy']].map((wire) => {
        const { payload } = cose.read(unhex(wire), 'policy');
        return [hex(policy.hashOf(payload)), policy.fromCbor(payload).name];
    });
    const names = new Map(policies);
    const pairs = new Map();
    const roots = [];
    let time = 0;
    entries.forEach((entry, index) => {
        holds(entry.time >= time, 'time never decreases');
        time = entry.time;
        if (entry.kind === 'map-head') {
            equal(`${entry.logSize} ${entry.mapSize}`, `${index} ${pairs.size}`, 'sizes in a map-head');
            equal(mapRoot([...pairs.values()]), hex(entry.commitment), 'root in a map-head');
            roots.push(hex(entry.commitment));
            return;
        }
        const pair = pairSetBy(entry, (one) => names.get(hex(one.commitment)));
        if (!pair) return;
        const [kind, id, value] = pair;
        const key = mapKey(kind, id);
        pairs.set(hex(key), [key, value]);
    });
    equal(entries[entries.length - 1].kind, 'map-head', 'the last entry');
    return roots;
}

function profile(_, data) {
    const { record: r, owner } = resolved(data);
    const state = cbor.members(cbor.read(unhex(data['web-default.state.cbor'])), {
        value: cbor.bytes(32), entry: cbor.bytes(), object_digest: cbor.bytes(32), proof: cbor.bytes(),
    });
    const { document, policy: rules, hash } = readPolicy(data['web-default.policy'], owner);
    equal(`${rules.kind} ${rules.name} ${rules.owner}`, `rbac ${r.rbac_profile} ${r.rp_did}`);
    equal(state.value, hash);
    equal(state.object_digest, hex(cose.objectDigest(document)));
    const entry = readEntry(state.entry);
    equal(`${entry.kind} ${entry.subject} ${hex(entry.commitment)}`, `policy ${r.rp_did} ${hash}`);
    equal(entry.objectDigest, hex(state.object_digest));
    // The proof is under some head that the log has had; the entry is one of its leaves.
    const entries = readBundle(unhex(data.entries));
    holds(entries.some((wire) => same(wire, state.entry)), 'the entry is in the log');
    const key = mapKey('policy', `${r.rp_did}/${r.rbac_profile}`);
    const proof = readProof(cbor.read(state.proof));
    const isUnder = (root) => {
        try {
            return same(checkProof(unhex(root), key, proof), state.value);
        } catch {
            return false;
        }
    };
    holds(replay(entries.map(readEntry), data).some(isUnder), 'a proof under a head of the log');
}

// RFC 9421, verified by a library that knows nothing of httpcg.
async function backend(v, data) {
    const { header, target } = signedRequest(data);
    const fields = Object.fromEntries(Object.entries(v.fields).map(([name, values]) => [name, values.join(', ')]));
    const ours = Object.keys(fields).filter((name) => name.startsWith('x-httpcg-'));
    const hmac = createVerifier(Buffer.from(unhex(v.secret, 32)), 'hmac-sha256');
    let params;
    const isSigned = await httpbis.verifyMessage(
        {
            keyLookup: async (given) => {
                params = given;
                return { id: given.keyid, algs: ['hmac-sha256'], verify: hmac };
            },
            requiredParams: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
            requiredFields: ['@method', '@target-uri', 'content-digest', ...ours],
            tolerance: 86400 * 36500, // when it was made is compared below, with the clock of that time
        },
        { method: v.method, url: `http://${v.authority}${v.target}`, headers: fields },
    );
    equal(isSigned, true, 'signature');
    equal(`${params.tag} ${params.alg}`, 'httpcg-gw hmac-sha256');
    const created = params.created.getTime() / 1000;
    equal(params.expires - created, 60, 'life');
    holds(Math.abs(created - nowOf(data)) <= 300, 'created');

    const told = (name) => fields[`x-httpcg-${name}`];
    equal(told('original-url'), url.write(target));
    equal(told('wallet-address'), header.wallet_address);
    equal(told('session-id'), channelOf(data).sessionId);
    equal(told('gateway-did'), certOf(data).subject_did);
    equal(told('auth'), `${header.alg};body=verified`);
    equal(told('request-id').replaceAll('-', ''), params.nonce);
    equal(`${v.method} ${v.target}`, `${data['request.json'].method} ${target.path}${target.query}`);
    equal(v.sha256, hex(H(unhex(data['request.json'].body))), 'body');
    equal(`${v.bytes} ${v.ended} ${v.status} ${v.refused}`, `${data['request.json'].body.length / 2} true 200 `);
}
