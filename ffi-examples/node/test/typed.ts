import {
  CancelledError, Client, Decoder, Message, TransportError, deltas, type Delta, type DeltaStream,
} from '../deltawire.js';

export async function collect(stream: DeltaStream): Promise<string> {
  const message = new Message();
  try {
    for await (const delta of stream) message.push(delta);
    if (stream.end !== 'unknown') message.finish(stream.end);
    const [call] = message.toolCalls;
    return call === undefined ? message.text : `${call.name}(${call.arguments})`;
  } finally {
    message.close();
  }
}

export async function ask(prompt: string, signal: AbortSignal): Promise<string> {
  const client = new Client({ key: process.env.OPENAI_API_KEY, timeouts: { connect: 1000 } });
  const request = { model: 'm', messages: [{ role: 'user', content: prompt }] };
  try {
    return await collect(client.stream(request, { signal }));
  } catch (error) {
    if (error instanceof CancelledError) return '';
    if (error instanceof TransportError && error.kind === 'rate_limit') return `${error.retryAfterMs}`;
    throw error;
  } finally {
    client.close();
  }
}

export async function overFetch(url: string): Promise<string> {
  const { body } = await fetch(url, { method: 'POST' });
  return body === null ? '' : collect(deltas(body, { dialect: 'anthropic' }));
}

export function told(delta: Delta): string {
  switch (delta.type) {
    case 'text':
      return delta.text;
    case 'tool_call_arguments':
      return delta.fragment;
    case 'usage':
      return String(delta.outputTokens ?? 0);
    case 'other':
      return `${delta.raw.length} bytes`;
    case 'event_error':
      return delta.error.message;
    default:
      return delta.type;
  }
}

export function whole(bytes: Uint8Array): string[] {
  const decoder = new Decoder({ maxEventBytes: 1024 });
  const found = [...decoder.feed(bytes), ...decoder.finish()].map(told);
  decoder.close();
  return found;
}
