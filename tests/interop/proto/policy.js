// Policies and what they decide (docs/protocol/policy.md).
import { H, need, TUP, unbase64, wellFormed } from './bytes.js';
import * as cbor from './cbor.js';
import * as cose from './cose.js';
import { usableKey } from './hybrid.js';
import { checkAddress, isDid } from './identity.js';
import * as json from './json.js';

const POLICY_MAX = 96 * 1024;
const CREDENTIAL_MAX = 8 * 1024;
export const MODES = ['none', 'grant', 'ed25519', 'hybrid'];
const PLANES = ['app', 'bpi', 'gw', 'wallet', 'm2m'];

// --- schema -------------------------------------------------------------------------------------
// Predicates over values of JSON and of CBOR alike: a map of CBOR is made an object beforehand.

const isInt = (least, most) => (x) => typeof x === 'number' && x >= least && x <= most;
const isBool = (x) => x === true || x === false;
const isOneOf = (...values) => (x) => values.includes(x);
const isWord = (x) => typeof x === 'string' && /^[a-z0-9][a-z0-9._-]{0,62}$/.test(x);
const isList = (least, most, fits) => (x) => Array.isArray(x) && x.length >= least && x.length <= most && x.every(fits);
const isSet = (least, most, fits) => (x) => isList(least, most, fits)(x) && new Set(x).size === x.length;
const isMap = (must, may) => (x) => !!json.members(x, must, may);

function isAddress(x) {
    try {
        return !!checkAddress(x);
    } catch {
        return false;
    }
}

export function isPattern(x) {
    if (typeof x !== 'string' || x.length > 512 || !x.startsWith('/')) return false;
    const segments = x.slice(1).split('/');
    return segments.length <= 32 && segments.every((one, i) => isSegment(one, i === segments.length - 1));
}

function isSegment(one, isLast) {
    if (one === '*' || one === '**') return true;
    if (one === '') return isLast;
    if (/^\.\.?(;|$)/.test(one) || one.includes('*')) return false;
    if (!/^([A-Za-z0-9._~!$&'()+,;=:@-]|%[0-9A-F]{2})*$/.test(one)) return false;
    // Canonical: no escape of what needs none, or of what no path may have.
    return [...one.matchAll(/%(..)/g)].every(([, digits]) => {
        const byte = parseInt(digits, 16);
        return byte >= 0x20 && byte !== 0x7f && !/[A-Za-z0-9._~/\\-]/.test(String.fromCharCode(byte));
    });
}

const isMethod = (x) => typeof x === 'string' && /^[A-Z-]{1,32}$/.test(x) && x !== 'CONNECT' && x !== 'TRACE';

const RULE = {
    path: isPattern,
    methods: isList(1, 16, isMethod),
    roles: isList(1, 16, isWord),
    sapi: isOneOf(...MODES),
};
const RULE_MAY = {
    rate: isMap({ per_min: isInt(1, 60000000), burst: isInt(1, 1000000) }),
    evidence: isBool,
    receipt: isBool,
    stream: isBool,
    body_modes: isSet(0, 2, isOneOf(1, 2)),
    max_body: isInt(0, Number.MAX_SAFE_INTEGER),
    max_rtt_us: isInt(0, 60000000),
};

const isDeclaredRole = (x) => isWord(x) && x !== 'anonymous' && x !== 'any-wallet';
const isRole = isMap(
    { role: isDeclaredRole, wallets: isList(0, 4096, isAddress) },
    { until: isInt(0, Number.MAX_SAFE_INTEGER) },
);

const base64url = (text) => unbase64(text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4));
function isBackendKey(x) {
    json.members(x, { kty: isOneOf('OKP'), crv: isOneOf('Ed25519'), kid: isWord, x: (y) => typeof y === 'string' });
    const key = base64url(x.x);
    wellFormed(key.length === 32, 'backend key');
    need(usableKey(key), 'KEY');
    return true;
}

const COMMON = { v: isOneOf(1), name: isWord, owner: isDid, version: isInt(1, Number.MAX_SAFE_INTEGER) };
const COMMON_MAY = {
    tls: isMap({ min: isOneOf('1.3'), groups: isSet(1, 1, isOneOf('X25519MLKEM768')) }),
    padding: isInt(0, 3),
    max_checkpoint_age: isInt(1, 86400),
};
const KINDS = {
    rbac: [
        { kind: isOneOf('rbac'), ...COMMON, rules: isList(1, 256, isMap(RULE, RULE_MAY)) },
        { ...COMMON_MAY, roles: isList(0, 64, isRole), default: isOneOf('deny'), conceal: isBool, web2: isMap({ allow: isBool }) },
    ],
    gateway: [
        { kind: isOneOf('gateway'), ...COMMON },
        {
            ...COMMON_MAY, sapi_min: isOneOf(...MODES), planes: isSet(1, 5, isOneOf(...PLANES)),
            max_epochs: isInt(1, 60), audit_days: isInt(0, 36500), backend_keys: isList(0, 4, isBackendKey),
        },
    ],
};

function check(policy) {
    wellFormed(policy && typeof policy === 'object' && Object.hasOwn(KINDS, policy.kind ?? ''), 'kind');
    json.members(policy, ...KINDS[policy.kind]);
    const declared = ['anonymous', 'any-wallet', ...(policy.roles ?? []).map((one) => one.role)];
    for (const rule of policy.rules ?? []) {
        wellFormed(rule.roles.every((one) => declared.includes(one)), 'a role that is not declared');
        wellFormed((rule.sapi === 'none') === rule.roles.includes('anonymous'), 'sapi and anonymous');
        const modes = rule.body_modes ?? [1, 2];
        wellFormed(!rule.stream || modes.includes(2), 'a stream without mode 2');
        const isEvident = ['ed25519', 'hybrid'].includes(rule.sapi) && !rule.stream;
        wellFormed(!rule.evidence || isEvident, 'evidence that convinces nobody');
    }
    return policy;
}

const asObject = (item) => {
    if (item instanceof Map) return Object.fromEntries([...item].map(([key, value]) => [key, asObject(value)]));
    return Array.isArray(item) ? item.map(asObject) : item;
};

export const fromJson = (bytes) => check(json.read(bytes));
export function fromCbor(wire) {
    wellFormed(wire.length <= POLICY_MAX, 'policy too large');
    return check(asObject(cbor.read(wire)));
}
export const toCbor = (policy) => cbor.write(policy);
export const hashOf = (wire) => H(TUP('httpcg-policy/v1', wire));

// --- patterns -----------------------------------------------------------------------------------

export function matches(pattern, path) {
    const segments = (text) => text.slice(1).split('/');
    const match = (of, at) => {
        if (of.length === 0) return at.length === 0;
        const [first, ...rest] = of;
        if (first === '**') return Array.from({ length: at.length + 1 }, (_, n) => at.slice(n)).some((left) => match(rest, left));
        if (at.length === 0) return false;
        return (first === '*' ? at[0] !== '' : first === at[0]) && match(rest, at.slice(1));
    };
    return match(segments(pattern), segments(path));
}

// --- the decision -------------------------------------------------------------------------------

const weaker = (a, b) => MODES.indexOf(a) < MODES.indexOf(b);

// request: { name, method, path, wallet ('' where nobody signed), mode, scope, bodyMode, bodyLength,
// rttUs, now, least, creds }. Gives { verdict, rule, needs, allow }.
export function decide(policy, request) {
    const rules = policy.rules ?? []; // a gateway's policy decides about nobody
    const paths = rules.filter((one) => matches(one.path, request.path));
    const rule = paths.find((one) => one.methods.includes(request.method));
    const allow = [...new Set(paths.flatMap((one) => one.methods))];
    const out = (verdict, more = {}) => ({ verdict, rule: rule ? rules.indexOf(rule) : -1, needs: '', allow: [], ...more });
    const hasRole = (name, of) => {
        if (name === 'anonymous') return true;
        if (!request.wallet) return false;
        if (name === 'any-wallet') return true;
        const declared = (policy.roles ?? []).find((one) => one.role === name);
        const listed = declared.wallets.includes(request.wallet) && (declared.until === undefined || request.now < declared.until);
        return listed || of.creds.some((one) => counts(policy, request, one, name));
    };
    const deny = (verdict) => out(policy.conceal ? 'NOT_FOUND' : verdict);

    if (!request.wallet) {
        if (!rule?.roles.includes('anonymous')) {
            if (rules.some((one) => one.sapi !== 'none')) return out('NEEDS_AUTH', { rule: -1 });
            return paths.length > 0 ? out('METHOD', { allow, rule: -1 }) : out('NO_RULE', { rule: -1 });
        }
    } else {
        if (!request.scope.includes('*') && !request.scope.includes(request.name)) return deny('SCOPE');
        if (paths.length === 0) return out('NO_RULE');
        if (!rule) {
            const known = paths.some((one) => one.roles.some((name) => hasRole(name, request)));
            return policy.conceal && !known ? out('NOT_FOUND') : out('METHOD', { allow });
        }
        if (!rule.roles.some((name) => hasRole(name, request))) return deny('DENIED');
        const least = rule.sapi !== 'none' && weaker(rule.sapi, request.least) ? request.least : rule.sapi;
        if (weaker(request.mode, least)) return out('STEP_UP', { needs: least });
    }
    if (rule.max_rtt_us && (request.rttUs === 0 || request.rttUs > rule.max_rtt_us)) return deny('DENIED');
    if (request.bodyMode !== 0 && !(rule.body_modes ?? [1, 2]).includes(request.bodyMode)) return deny('DENIED');
    if (request.bodyMode === 2 && rule.evidence) return deny('DENIED');
    if (rule.max_body !== undefined && request.bodyLength > rule.max_body) return out('TOO_LARGE');
    return out('OK');
}

// --- role credentials ---------------------------------------------------------------------------

export function readCredential(wire) {
    return cbor.members(cbor.read(wire), {
        v: cbor.oneOf(1), aud: isWord, role: isWord, nonce: cbor.bytes(16), owner: isDid, until: cbor.uint, wallet: isAddress,
    });
}

// The credential of a document that its owner signed.
export function verifyCredential(wire, owner, key) {
    wellFormed(wire.length <= CREDENTIAL_MAX, 'credential too large');
    const document = cose.read(wire, 'role');
    const credential = readCredential(document.payload);
    need(credential.owner === owner, 'MISMATCH', 'owner');
    cose.verify(document, key);
    return credential;
}

// A credential whose signature was verified, for this profile, wallet and time.
export function counts(policy, request, credential, role) {
    return (
        credential.role === role && credential.aud === policy.name && credential.owner === policy.owner &&
        credential.wallet === request.wallet && request.now < credential.until
    );
}

