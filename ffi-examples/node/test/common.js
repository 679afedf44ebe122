import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const program = (name) => path.join(here, name);

const folder = process.env.DELTAWIRE_CASES;

/** The recorded and hand-written streams, each with the lines that have to come of it. */
export function cases() {
  const rows = fs.readFileSync(path.join(folder, 'cases.tsv'), 'utf8').split('\n').filter(Boolean);
  return rows.map((row) => {
    const [name, file, dialect, isShort] = row.split('\t');
    return {
      name,
      file: path.join(folder, file),
      dialect,
      isShort: isShort === '1',
      bytes: fs.readFileSync(path.join(folder, file)),
      lines: fs.readFileSync(path.join(folder, `${name}.lines`), 'utf8'),
    };
  });
}

/** Runs a program to its end; `after` is called with it and what it printed so far, at each piece. */
export function run(command, args, { input, env, after } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env } });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] += text;
        after?.(child, output);
      });
    }
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, ...output }));
    child.stdin.on('error', () => {}).end(input);
  });
}

const event = (choices, more = {}) =>
  `data: ${JSON.stringify({
    id: 'c-1', object: 'chat.completion.chunk', created: 1, model: 'tiny-chat-1', choices, ...more,
  })}\n\n`;
export const chunk = (content) => event([{ index: 0, delta: { content }, finish_reason: null }]);

/** The stream that the server replays, whose reply is `Grüß dich`. */
export const reply = [
  event([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]),
  chunk('Grüß'),
  chunk(' dich'),
  event([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  event([], { usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 } }),
  'data: [DONE]\n\n',
].join('');

/** Starts the command's server, and gives its address; ended with the test. */
export async function serve(t, ...options) {
  const file = path.join(fs.mkdtempSync(path.join(here, 'serve-')), 'tiny-chat-1.sse');
  fs.writeFileSync(file, reply);
  const child = spawn(process.env.DELTAWIRE, ['serve', '--port', '0', ...options, file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(async () => {
    const closed = new Promise((resolve) => child.once('close', resolve));
    if (child.exitCode === null && child.kill()) await closed;
    fs.rmSync(path.dirname(file), { recursive: true });
  });
  return new Promise((resolve, reject) => {
    let said = '';
    child.on('error', reject).on('exit', () => reject(new Error(`the server ended: ${said}`)));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
      const found = /listening on (\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
  });
}

export const request = { model: 'tiny-chat-1', messages: [{ role: 'user', content: 'Hi' }], includeUsage: true };
