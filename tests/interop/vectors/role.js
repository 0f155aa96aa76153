// role.json: a role credential, and what must be refused.
import { ends, equal, int, spliced, Suite, yes } from '../harness.js';
import { H, hex, unhex } from '../proto/bytes.js';
import * as cose from '../proto/cose.js';
import { keyOf } from '../proto/hybrid.js';
import { nextOf, walletDocument } from '../proto/identity.js';
import * as policy from '../proto/policy.js';

const suite = new Suite('role');
export default suite;

const key = (data) => keyOf(unhex(data.owner_seed));
const verify = (data, wire) => policy.verifyCredential(wire, data.owner, key(data));

suite.check('the credential', [], (data) => {
    equal(walletDocument(key(data), nextOf(keyOf(unhex(data.next_seed)))), data.owner_doc);
    const one = verify(data, unhex(data.document));
    for (const name of ['owner', 'wallet', 'aud', 'role']) equal(one[name], data[name], name);
    equal(one.until, int(data.until));
    equal(one.nonce, data.nonce);
    const document = cose.read(unhex(data.document), 'role');
    equal(document.payload, data.payload);
    equal(H(cose.signedByEd25519(document)), data.sig_structure_ed25519_sha256);
    equal(H(cose.signedByMlDsa(document)), data.sig_structure_mldsa87_sha256);
    equal(hex(cose.write(document)), data.document);
}, {
    only: [
        'owner_seed', 'next_seed', 'owner_doc', 'owner', 'wallet', 'aud', 'role', 'until', 'nonce', 'payload', 'document',
        'sig_structure_ed25519_sha256', 'sig_structure_mldsa87_sha256',
    ],
});

// An address that is none is malformed here, a checksum or a version there.
const ALSO = { VERSION: ['MALFORMED'] };
suite.each('signed rightfully:', ['resigned'], (v, data) => {
    const document = cose.read(unhex(data.document), 'role');
    document.payload = spliced(document.payload, v);
    const signature = unhex(v.signature);
    document.ed25519 = signature.slice(0, 64);
    document.mldsa87 = signature.slice(64);
    cose.verify(document, key(data));
    ends(v.error, () => verify(data, cose.write(document)), { also: ALSO });
});
suite.each(
    'refused:', ['bad'],
    (v, data) => ends(v.error, () => verify(data, spliced(unhex(data.document), v)), { also: ALSO }),
    { only: ['error'] },
);

suite.each('counts:', ['counts'], (v, data) => {
    const one = policy.readCredential(cose.read(unhex(data.document), 'role').payload);
    const profile = { owner: `did:bpi:${v.profile_owner}`, name: v.profile };
    equal(policy.counts(profile, { wallet: v.caller, now: int(v.now) }, one, data.role), yes(v.counts));
}, { only: ['counts'] });
