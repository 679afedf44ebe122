/**
 * Shows a reply as it comes, and what is known of it on standard error.
 *
 * Returns the exit status: 0, or 1 where the reply is not complete.
 */
export async function show(deltas) {
  let isFaulty = false;
  try {
    for await (const delta of deltas) {
      switch (delta.type) {
        case 'text':
          process.stdout.write(delta.text);
          break;
        case 'usage':
          process.stderr.write(`(${delta.outputTokens} tokens)`);
          break;
        case 'error':
          process.stderr.write(`${delta.kind}: ${delta.message}\n`);
          isFaulty = true;
          break;
        case 'event_error':
          process.stderr.write(`${delta.error.message}\n`);
          isFaulty = true;
          break;
      }
    }
  } finally {
    process.stdout.write('\n');
  }
  return isFaulty || deltas.end !== 'complete' ? 1 : 0;
}
