// ed25519.json: signatures and keys where implementations of Ed25519 disagree.
import { ed25519 } from '@noble/curves/ed25519.js';
import { equal, Suite } from '../harness.js';
import { concat, u, unhex } from '../proto/bytes.js';
import { L, littleEndian, usableKey, verifyEd25519 } from '../proto/hybrid.js';

const suite = new Suite('ed25519');
export default suite;

suite.check("the seed is the good signature's", ['seed'], (v, data) => {
    const [good] = data.cases;
    equal(ed25519.getPublicKey(unhex(v)), good.public);
    equal(ed25519.sign(unhex(good.message), unhex(v)), good.signature);
});

function verdict(key, message, signature) {
    if (!usableKey(key)) return 'KEY';
    return verifyEd25519(key, message, signature) ? 'OK' : 'SIGNATURE';
}

// What the library says by itself, which multiplies with the cofactor and, told zip215, takes every
// spelling but S of the order or more.
function equation(key, message, signature) {
    if (signature.length !== 64) return 'does not hold';
    const s = littleEndian(signature.subarray(32)) % L;
    const reduced = concat(signature.subarray(0, 32), u(256, s).reverse());
    try {
        return ed25519.verify(reduced, message, key, { zip215: true }) ? 'holds' : 'does not hold';
    } catch {
        return 'does not hold';
    }
}

// What is wrong stays so whatever else is changed, so there only the verdicts can be told wrong.
suite.each('case', ['cases'], (v) => {
    const [key, message, signature] = [unhex(v.public), unhex(v.message), unhex(v.signature)];
    equal(verdict(key, message, signature), v.error);
    equal(equation(key, message, signature), v.equation.replace(' with the cofactor', ''));
}, { inert: (v) => (v.error === 'OK' ? [] : ['public', 'message', 'signature']) });
