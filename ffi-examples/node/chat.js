#!/usr/bin/env node
/**
 * A chat on the terminal, over the library's own transport.
 *
 *     chat.js PROMPT
 *
 * OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as
 * it comes, what is known of it to standard error. Ctrl-C ends the reply.
 *
 * Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
 */
import { CancelledError, Client, DeltawireError } from './deltawire.js';
import { show } from './terminal.js';

async function chat(prompt) {
  const client = new Client({
    baseUrl: process.env.OPENAI_BASE_URL,
    key: process.env.OPENAI_API_KEY,
    retries: 0,
  });
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const stream = client.stream(
    {
      model: process.env.OPENAI_MODEL || 'gpt-4o-mini',
      messages: [{ role: 'user', content: prompt }],
      includeUsage: true,
    },
    { signal: interrupt.signal },
  );
  client.close();
  return show(stream);
}

if (process.argv.length !== 3) {
  console.error('usage: chat.js PROMPT');
  process.exit(2);
}
try {
  process.exitCode = await chat(process.argv[2]);
} catch (error) {
  if (!(error instanceof DeltawireError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof CancelledError ? 130 : 3;
}
// The signal's listener is of no use any more.
process.removeAllListeners('SIGINT');
