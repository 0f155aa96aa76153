// mldsa87.json: ML-DSA-87 signatures that others made and spoilt.
import { ends, equal, holds, spliced, Suite } from '../harness.js';
import { need, unhex } from '../proto/bytes.js';
import { verifyMl87 } from '../proto/hybrid.js';

const suite = new Suite('mldsa87');
export default suite;

function verify(v, key, signature) {
    const context = unhex(v.context);
    need(context.length <= 255, 'CRYPTO', 'a context of more than 255 bytes');
    need(verifyMl87(key, unhex(v.message), signature, context), 'SIGNATURE');
}

// What is wrong stays so whatever else is changed, so there only the verdict can be told wrong.
const inert = (v) => (v.error === 'OK' ? ['tcId'] : Object.keys(v).filter((name) => name !== 'error'));

suite.each('ACVP', ['acvp', 'cases'], (v) =>
    ends(v.error, () => verify(v, unhex(v.public), unhex(v.signature))), { inert });
suite.each('Wycheproof', ['wycheproof', 'cases'], (v, data) => {
    const { public: key, signature } = data.wycheproof;
    ends(v.error, () => verify(v, unhex(key), spliced(unhex(signature), v)));
}, { inert });
for (const name of ['public', 'signature'])
    suite.check(`the ${name} of Wycheproof's first`, ['wycheproof', name], (_, data) => {
        const [first] = data.wycheproof.cases;
        equal(first.error, 'OK');
        holds(verifyMl87(unhex(data.wycheproof.public), unhex(first.message), unhex(data.wycheproof.signature)), name);
    });
