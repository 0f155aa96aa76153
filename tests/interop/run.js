#!/usr/bin/env node
// tests/interop/run.js: checks the project's test vectors, and the objects of a live instance, with
// an implementation that shares no code with it.
//
//   node run.js [--self-test] [NAME...]     every file of tests/vectors, or those named
//   node run.js [--self-test] --live DIR    what `./dev run --check --save DIR` kept
//
// With --self-test every value that a check reads is changed, one after the other, and each change
// must be noticed. Failures are told one by one; the last line counts.
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';

const { values: options, positionals: names } = parseArgs({
    options: { live: { type: 'string' }, 'self-test': { type: 'boolean' } },
    allowPositionals: true,
});

// A file of vectors that nobody reads here is a failure: the list is the folder's.
async function* suites() {
    if (options.live) {
        const { default: live } = await import('./live.js');
        yield live(options.live);
        return;
    }
    const files = readdirSync(new URL('../vectors/', import.meta.url)).filter((name) => name.endsWith('.json'));
    for (const name of names.length > 0 ? names : files.map((file) => file.replace('.json', '')))
        yield (await import(`./vectors/${name}.js`)).default;
}

let [passed, failed] = [0, 0];
function report(sentence, failure) {
    if (failure === null) passed++;
    else {
        failed++;
        console.log(`not ok - ${sentence}: ${failure}`);
    }
}

try {
    for await (const suite of suites()) {
        const [before, began] = [passed + failed, Date.now()];
        await (options['self-test'] ? suite.selfTest(report) : suite.run(report));
        const seconds = ((Date.now() - began) / 1000).toFixed(1);
        console.log(`${suite.name.padEnd(12)} ${String(passed + failed - before).padStart(6)} checks ${seconds.padStart(7)} s`);
    }
} catch (error) {
    failed++;
    console.log(error.stack);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
