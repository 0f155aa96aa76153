// policy.json: policies, patterns and decisions.
import { ends, equal, int, Suite, yes } from '../harness.js';
import { ascii, hex, unhex } from '../proto/bytes.js';
import * as policy from '../proto/policy.js';

const suite = new Suite('policy');
export default suite;

suite.each('policy', ['policies'], (v) => {
    const wire = policy.toCbor(policy.fromJson(ascii(v.json)));
    equal(wire, v.cbor);
    equal(policy.hashOf(wire), v.hash);
    equal(policy.toCbor(policy.fromCbor(unhex(v.cbor))), v.cbor);
});
suite.each('read:', ['good'], (v) => {
    const wire = policy.toCbor(policy.fromJson(ascii(v.json)));
    equal(policy.toCbor(policy.fromCbor(wire)), hex(wire));
}, { only: [] }); // most changes make another policy that is as good
// What is malformed in an address is its checksum, in a name its length: one code for readers here.
const ALSO = { MISMATCH: ['MALFORMED'] };
suite.each('refused:', ['bad'], (v) => void ends(v.error, () => policy.fromJson(ascii(v.json)), { also: ALSO }), { only: ['error'] });

suite.each('pattern', ['matches'], (v) => {
    equal(policy.isPattern(v.pattern), true, v.pattern);
    equal(policy.matches(v.pattern, v.path), yes(v.match), `${v.pattern} of ${v.path}`);
}, { only: ['match'] });

function decide(v, data) {
    const profile = policy.fromJson(ascii(data.policies[v.policy].json));
    return policy.decide(profile, {
        name: 'app/shop.example', method: v.method, path: v.path, wallet: v.wallet, mode: v.mode,
        scope: v.scope === '' ? [] : [v.scope], bodyMode: int(v.body_mode), bodyLength: int(v.body_len), rttUs: int(v.rtt_us),
        now: int(v.now), least: v.least, creds: v.creds.map((one) => credentialOf(one, data)),
    });
}
const credentialOf = (one) => ({ ...one, until: int(one.until) });

suite.each('decision', ['decisions'], (v, data) => {
    const { verdict, rule, needs, allow } = decide(v, data);
    equal(verdict, v.want, `${v.method} ${v.path}`);
    equal(rule, int(v.rule), 'rule');
    equal(needs, v.needs, 'needs');
    equal(allow.join(', '), v.allow, 'allow');
}, { only: ['want', 'rule', 'needs', 'allow'] });

suite.check('a credential', ['credential'], (v) => {
    const one = policy.readCredential(unhex(v.cbor));
    equal(`${one.role} ${one.aud} ${one.wallet} ${one.owner} ${one.until}`, `${v.role} ${v.aud} ${v.wallet} ${v.owner} ${int(v.until)}`);
}, { inert: ['cbor'] });
