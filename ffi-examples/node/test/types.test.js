import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';

import { program, run } from './common.js';

const OPTIONS = [
  '--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom,esnext.disposable', '--module', 'nodenext',
  '--types', 'node',
];
const tsc = (file) => run(process.execPath, [program('node_modules/typescript/bin/tsc'), ...OPTIONS, file]);

test('a typed program is accepted', async () => {
  const found = await tsc(program('test/typed.ts'));
  assert.equal(found.stdout + found.stderr, '');
  assert.equal(found.status, 0);
});

test('what the types do not allow is refused', async () => {
  const file = program('test/mistyped.ts');
  fs.writeFileSync(file, [
    "import { Decoder, type Delta } from '../deltawire.js';",
    "new Decoder({ dialectt: 'openai-chat' });",
    "new Decoder().feed('text');",
    "export const f = (delta: Delta) => (delta.type === 'text' ? delta.fragment : delta.text);",
  ].join('\n'));
  const found = await tsc(file);
  assert.notEqual(found.status, 0);
  assert.deepEqual([...new Set([...found.stdout.matchAll(/ts\((\d+),/g)].map(([, line]) => line))], ['2', '3', '4']);
});
