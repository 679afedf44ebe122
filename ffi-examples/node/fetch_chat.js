#!/usr/bin/env node
/**
 * The same chat over `fetch`: the bytes of the body go into a decoder as they arrive.
 *
 *     fetch_chat.js PROMPT
 *
 * OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. Ctrl-C ends the reply.
 *
 * Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
 */
import { Message, deltas } from './deltawire.js';
import { show } from './terminal.js';

const { OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_MODEL } = process.env;

async function chat(prompt, signal) {
  const response = await fetch(`${OPENAI_BASE_URL || 'https://api.openai.com/v1'}/chat/completions`, {
    method: 'POST',
    signal,
    headers: {
      'Content-Type': 'application/json',
      ...(OPENAI_API_KEY && { Authorization: `Bearer ${OPENAI_API_KEY}` }),
    },
    body: JSON.stringify({
      model: OPENAI_MODEL || 'gpt-4o-mini',
      messages: [{ role: 'user', content: prompt }],
      stream: true,
      stream_options: { include_usage: true },
    }),
  });
  if (!response.ok) throw new Error(await refusal(response));
  return show(deltas(response.body, { dialect: 'openai-chat' }));
}

/** What the provider says. A refusal is a whole response, or a page of somebody between. */
async function refusal(response) {
  const message = new Message();
  try {
    message.read(await response.text());
    const { kind = 'other', message: said = '' } = message.error ?? {};
    return `HTTP ${response.status}: ${kind}: ${said}`;
  } catch {
    return `HTTP ${response.status}`;
  } finally {
    message.close();
  }
}

if (process.argv.length !== 3) {
  console.error('usage: fetch_chat.js PROMPT');
  process.exit(2);
}
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
try {
  process.exitCode = await chat(process.argv[2], interrupt.signal);
} catch (error) {
  console.error(error.cause?.message ?? error.message);
  process.exitCode = error.name === 'AbortError' ? 130 : 3;
}
