// v1.json: one value of everything, made twice before there was this project.
import { equal, holds, Suite } from '../harness.js';
import { ascii, base32, concat, expand, extract, H, hex, hmac, TUP, u, unhex } from '../proto/bytes.js';
import * as cbor from '../proto/cbor.js';
import * as cert from '../proto/cert.js';
import * as cose from '../proto/cose.js';
import { batchMessage, batchVerify, hsigSign, hsigVerify, keyOf, leafHash, signEd25519, signMl87 } from '../proto/hybrid.js';
import { addressOf, nextOf, walletDocument } from '../proto/identity.js';
import * as lock from '../proto/lock.js';
import { headOf, mapKey, mapRoot, readEntry } from '../proto/merkle.js';
import { readNote, readVkey, writeVkey } from '../proto/note.js';
import * as policy from '../proto/policy.js';
import * as record from '../proto/record.js';
import * as sapi from '../proto/sapi.js';
import * as url from '../proto/url.js';

const seed = (first) => Uint8Array.from({ length: 32 }, (_, i) => first + i);
const [WALLET, NEXT, GATEWAY, GATEWAY_NEXT, TRANSPORT, LOG, SESSION, OPERATOR] = [0, 32, 64, 96, 128, 160, 192, 224].map(seed);
const NOW = 1795366003;
const EPOCH = 29922766;
const ORIGIN = 'ledger.example/bpi1';
const COUNT = Uint8Array.from({ length: 16 }, (_, i) => i);
const URL_ = url.read('httpcg://app/app.example.com/api/orders?limit=10');
const SPKI = H(ascii('example SubjectPublicKeyInfo DER'));

const walletAddress = addressOf(keyOf(WALLET), nextOf(keyOf(NEXT)));
const gatewayAddress = addressOf(keyOf(GATEWAY), nextOf(keyOf(GATEWAY_NEXT)));
const logId = cert.logId(ORIGIN, keyOf(LOG));
const channel = (data) => new lock.Channel(unhex(data.qlock.exporter), unhex(data.qlock.spki), unhex(data.tlsls.fingerprint));

const suite = new Suite('v1');
export default suite;

suite.check('a wallet from its seeds', ['wallet'], (v) => {
    equal(unhex(v.S), WALLET);
    const [key, next] = [keyOf(unhex(v.S)), nextOf(keyOf(unhex(v.R)))];
    equal(key.edSeed, v.ed25519_seed);
    equal(key.mlSeed, v.mldsa87_seed);
    equal(key.ed, v.ed25519);
    equal(key.ml, v.mldsa87);
    equal(next, v.next);
    equal(addressOf(key, next), v.waddr);
    equal(walletDocument(key, next), v.walletdoc);
});

suite.check("a gateway's identity and transport keys", ['gateway'], (v) => {
    equal(v.did, `did:bpi:${gatewayAddress}`);
    equal(walletDocument(keyOf(GATEWAY), nextOf(keyOf(GATEWAY_NEXT))), v.walletdoc);
    equal(keyOf(TRANSPORT).ed, v.transport_ed25519);
    equal(keyOf(TRANSPORT).ml, v.transport_mldsa87);
});

suite.check("a policy's encoding and hash", ['policy'], (v) => {
    const made = cbor.write({
        v: 1, name: 'gw-default', tls: { min: '1.3', groups: ['X25519MLKEM768'] }, sapi_min: 'grant',
    });
    equal(made, v.cbor);
    equal(cbor.write(cbor.read(made)), v.cbor);
    equal(policy.hashOf(made), v.policy_hash);
});

suite.check('a certificate, made again from its fields', ['tlsls'], (v, data) => {
    const transport = keyOf(TRANSPORT);
    const did = `did:bpi:${gatewayAddress}`;
    const payload = (anchor) =>
        cbor.write({
            v: 1, role: 'gateway', spki: [SPKI], names: ['gw1.example.com'], serial: COUNT, issued_at: NOW,
            bpi_anchor: anchor, expires_at: NOW + 30 * 86400, issuer_did: did, policy_hash: data.policy.policy_hash,
            subject_did: did, public_key_ed25519: transport.ed, public_key_dilithium: transport.ml,
        });
    equal(cert.anchorOf(logId, cert.commitment('tlsls', payload(''))), v.anchor);
    equal(payload(v.anchor), v.payload);
    equal(cose.bodyProtected('tlsls'), v.body_protected);

    const document = { type: 'tlsls', body: unhex(v.body_protected), payload: unhex(v.payload) };
    equal(cose.signedByEd25519(document), v.sig_structure_ed25519);
    equal(cose.signedByMlDsa(document), v.sig_structure_mldsa87);
    const key = keyOf(GATEWAY);
    document.ed25519 = signEd25519(key.edSeed, cose.signedByEd25519(document));
    document.mldsa87 = signMl87(key.mlSecret, cose.signedByMlDsa(document));
    equal(document.ed25519, v.sig_ed25519);
    equal(document.mldsa87, v.sig_mldsa87);
    equal(cose.write(document), v.cose_without_unprotected);

    const read = cert.read(unhex(v.cose_without_unprotected));
    cose.verify(read.document, key);
    equal(cert.withoutAnchor(read.document.payload), payload(''));
    equal(read.fingerprint, v.fingerprint);
    equal(cert.referenceOf(read), v.reference_65001);
});

suite.check("a connection's lock", ['qlock'], (v, data) => {
    equal(unhex(v.exporter), seed(0));
    equal(unhex(v.spki), SPKI);
    const c = channel(data);
    const made = c.lock(URL_, EPOCH);
    equal(c.prk, v.prk);
    equal(made.route, v.route_fingerprint);
    equal(made.info, v.info);
    equal(made.qlk, v.qlk);
    equal(made.key, v.qlock_key);
    equal(made.hash, v.qlock_hash);
    equal(c.cb, v.cb);
    equal(c.sessionId, v.session_id);
    equal(lock.writeHeader(c, EPOCH, made), v.header);
    lock.verifyHeader(c, URL_, lock.readHeader(ascii(v.header)));
});

suite.check('a grant, its keys and its answer', ['grant'], (v, data) => {
    const c = channel(data);
    const grant = cbor.write({
        v: 1, wallet_address: walletAddress, session_id: c.sessionId, cb: c.cb, tlsls_fpr: c.fingerprint, spki_hash: c.spki,
        session_key: keyOf(SESSION).ed, modes: ['grant', 'ed25519'], epoch_start: EPOCH, epochs: 10,
        scope: ['app/app.example.com'], timestamp: NOW, nonce: COUNT,
    });
    equal(grant, v.grant);
    equal(hsigSign(keyOf(WALLET), 'grant', grant), v.signature);
    equal(cbor.write([grant, unhex(data.wallet.walletdoc), unhex(v.signature)]), v.body);
    sapi.verifyGrant(sapi.readPosted(unhex(v.body)), c);
    equal(sapi.grantHash(grant), v.grant_hash);

    const keys = c.grantKeys(unhex(v.grant_hash), EPOCH);
    equal(keys.gk, v.GK);
    equal(keys.c2s, v.K_c2s);
    equal(keys.s2c, v.K_s2c);
    equal(keys.conf, v.K_conf);

    const answer = cbor.write({
        v: 1, grant_hash: sapi.grantHash(grant), server_did: `did:bpi:${gatewayAddress}`, server_time: NOW, epochs: 10,
        modes: ['grant', 'ed25519'], policy_hash: data.policy.policy_hash, h2_ping: true,
    });
    equal(answer, v.answer);
    equal(hmac(keys.conf, answer), v.confirm);
    const message = sapi.proofMessage(c.cb, sapi.grantHash(grant), answer);
    equal(message, v.proof_transcript);
    equal(batchMessage(leafHash(message), 1), v.proof_batch_message);
    equal(hsigSign(keyOf(TRANSPORT), 'channel-proof', unhex(v.proof_batch_message)), v.proof_hsig);
    const proof = cbor.write([unhex(v.proof_hsig), 0, 1, []]);
    batchVerify(keyOf(TRANSPORT), 'channel-proof', message, proof);
    const wire = cbor.write([answer, unhex(v.confirm), proof]);
    sapi.verifyAnswered(wire, sapi.readGrant(grant), keyOf(TRANSPORT), `did:bpi:${gatewayAddress}`, keys.conf);
});

suite.check('one request in three modes, and its answer', ['sapi'], (v, data) => {
    const c = channel(data);
    const grantHash = unhex(data.grant.grant_hash);
    const keys = c.grantKeys(grantHash, EPOCH);
    const fields = [['content-type', 'application/json']];
    const request = { method: 'POST', url: URL_, fields, bodyMode: 1, contentDigest: H(ascii('{"item":7}')) };
    const ours = { sessionId: c.sessionId, epoch: EPOCH, hash: c.lock(URL_, EPOCH).hash };
    const tbs = (alg) => {
        const nonce = concat(grantHash.subarray(0, 8), u(64, 1));
        return sapi.toBeSigned(request, { alg, wallet_address: walletAddress, timestamp: NOW, nonce }, ours, c.fingerprint);
    };
    equal(sapi.fieldsDigest(fields), v.fields_digest);
    equal(tbs('grant'), v.tbs_grant);
    equal(tbs('ed25519'), v.tbs_ed25519);
    equal(tbs('hybrid'), v.tbs_hybrid);
    equal(hmac(keys.c2s, tbs('grant')), v.tag);
    equal(hsigSign(keyOf(WALLET), 'sapi-request', tbs('hybrid')), v.hsig_hybrid);

    const header = sapi.readHeader(ascii(v.header_grant));
    equal(sapi.writeHeader(header), v.header_grant);
    equal(sapi.toBeSigned(request, header, ours, c.fingerprint), v.tbs_grant);
    sapi.verifySignature('grant', { mac: keys.c2s }, tbs('grant'), header.signature);

    const answer = { status: 200, fields, bodyMode: 1, contentDigest: H(ascii('{"ok":true}')), trailers: [] };
    equal(sapi.responseToBeSigned(answer, { alg: 'grant', timestamp: NOW + 1 }, tbs('grant')), v.response_tbs);
});

suite.check("a name's record", ['registry'], (v) => {
    const [owner, operator] = [keyOf(WALLET), keyOf(OPERATOR)];
    const r = {
        httpcg_host: 'app.example.com', target_host: 'backend.example.net', target_port: 443, rp_did: `did:bpi:${walletAddress}`,
        tlsls_required: true, rbac_profile: 'web-default', expires_at: NOW + 86400, plane: 'app', serial: 7, issued_at: NOW,
        ttl: 300, gateway_dids: [`did:bpi:${gatewayAddress}`], gateways: ['gw1.example.com:443'], target_auth: 'webpki',
    };
    equal(record.signedBytes(r, '', ''), v.R_no_anchor);
    r.bpi_anchor = cert.anchorOf(logId, record.commitmentOf(r));
    equal(r.bpi_anchor, v.anchor);
    equal(record.ownerBytes(r), v.owner_tbs);
    r.owner_signature = unhex(v.owner_signature);
    equal(hsigSign(owner, 'registry-owner', record.ownerBytes(r)), v.owner_signature);
    equal(record.operatorBytes(r), v.operator_tbs);
    r.signature = unhex(v.operator_signature);
    equal(hsigSign(operator, 'registry-operator', record.operatorBytes(r)), v.operator_signature);
    equal(record.toObject(r), v.object);
    equal(record.toObject(record.fromObject(unhex(v.object))), v.object);
});

suite.check('a log of three entries and its map', ['ledger'], (v, data) => {
    const entries = v.entries.map((wire) => readEntry(unhex(wire)));
    const [one, two, three] = entries;
    const c = unhex(data.tlsls.anchor.slice(22));
    equal(`${one.kind} ${hex(one.commitment)} ${one.subject}`, `tlsls ${hex(c)} ${data.gateway.did}`);
    equal(one.objectDigest, cose.objectDigest(cose.read(unhex(data.tlsls.cose_without_unprotected), 'tlsls')));
    const r = record.fromObject(unhex(data.registry.object));
    equal(`${two.kind} ${hex(two.commitment)} ${two.subject}`, `registry ${hex(record.commitmentOf(r))} app/app.example.com`);
    equal(two.objectDigest, record.objectDigest(r));
    equal(`${three.kind} ${hex(three.commitment)} ${three.logSize} ${three.mapSize}`, `map-head ${v.map_root} 2 2`);
    holds(one.time <= two.time && two.time <= three.time, 'times');

    const hashes = entries.map((entry) => leafHash(entry.wire));
    hashes.forEach((leaf, i) => equal(leaf, v.leaves[i]));
    v.roots.forEach((root, i) => equal(headOf(hashes.slice(0, i + 1)), root));
    equal(v.map.length, 2);
    equal(v.map[0].join(), `${hex(mapKey('did', walletAddress))},${hex(H(unhex(data.wallet.walletdoc)))}`);
    equal(v.map[1].join(), `${hex(mapKey('reg', 'app/app.example.com'))},${hex(record.commitmentOf(r))}`);
    equal(mapRoot(v.map.map((pair) => pair.map((x) => unhex(x)))), v.map_root);

    const key = keyOf(LOG);
    equal(readVkey(writeVkey(ORIGIN, 'log-ed25519', key.ed)).id, v.key_id_ed25519);
    equal(readVkey(writeVkey(ORIGIN, 'log-ml-dsa-87', key.ml)).id, v.key_id_mldsa87);
    const signature = Buffer.concat([Buffer.from(v.key_id_ed25519, 'hex'), signEd25519(key.edSeed, ascii(v.checkpoint_text))]);
    const note = readNote(new TextEncoder().encode(`${v.checkpoint_text}\n— ${ORIGIN} ${signature.toString('base64')}\n`));
    equal(note.text, v.checkpoint_text);
    equal(`${note.origin} ${note.size} ${hex(note.root)}`, `${ORIGIN} 3 ${v.roots[2]}`);
});

suite.check("a hidden service's name", ['gw'], (v) => {
    const message = TUP('httpcg-nsig/v1', 'library', walletAddress, u(64, NOW), COUNT);
    equal(message, v.nsig_tbs);
    equal(hsigSign(keyOf(WALLET), 'nsig', message), v.nsig_sigma);
    hsigVerify(keyOf(WALLET), 'nsig', message, unhex(v.nsig_sigma));
    const raw = H(TUP('httpcg-nsig-id/v1', unhex(v.nsig_sigma))).subarray(0, 20);
    const nsig = base32(raw);
    equal(v.address, `library.${walletAddress}.${nsig}`);
    url.read(`httpcg://gw/${v.address}/`);
    const day = Math.floor(EPOCH / 1440);
    equal(base32(H(TUP('httpcg-gw-slot/v1', 'library', walletAddress, nsig, u(64, day))).subarray(0, 20)), v.slot);
    equal(expand(extract('httpcg-gw-desc/v1', raw), TUP('desc key', 'library', walletAddress, u(64, day))), v.descriptor_key);
});

suite.check('a one-hop path hash', ['m2m'], (v, data) => {
    const parts = [gatewayAddress, walletAddress, 'telemetry.push', unhex(data.policy.policy_hash)];
    equal(base32(H(TUP('httpcg-ohph/v1', ...parts)).subarray(0, 20)), v.ohph);
});
