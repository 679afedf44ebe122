/**
 * Deltas as the command `deltawire deltas` prints them: a JSON object a line, keys in a fixed order, what
 * the provider did not give left out, no spaces, non-ASCII as it is.
 */

// JSON.stringify has the same short escapes, and \u00xx in small letters, but escapes U+2028 and lone
// surrogates no differently: there are none of the latter in what the library gives.
const quoted = (text) => JSON.stringify(text);
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const some = (key, text) => (text === '' ? '' : `,"${key}":${quoted(text)}`);
const USAGE = {
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  totalTokens: 'total_tokens',
  cachedTokens: 'cached_tokens',
  cacheCreationTokens: 'cache_creation_tokens',
  reasoningTokens: 'reasoning_tokens',
};

function members(delta) {
  const place = `,"choice":${delta.choice}`;
  switch (delta.type) {
    case 'start':
      return some('id', delta.id) + some('model', delta.model) + some('role', delta.role);
    case 'text':
    case 'reasoning':
    case 'refusal':
      return `${place},"text":${quoted(delta.text)}`;
    case 'tool_call_start':
    case 'server_tool_call_start':
      return `${place},"index":${delta.index}${some('id', delta.id)}${some('name', delta.name)}`;
    case 'tool_call_arguments':
    case 'server_tool_call_arguments':
      return `${place},"index":${delta.index},"fragment":${quoted(delta.fragment)}${delta.whole ? ',"whole":true' : ''}`;
    case 'finish':
      return `${place},"reason":"${delta.reason}","raw":${quoted(delta.raw)}`;
    case 'usage':
      return Object.entries(USAGE)
        .map(([name, key]) => (delta[name] === undefined ? '' : `,"${key}":${delta[name]}`))
        .join('');
    case 'error':
      return `,"kind":"${delta.kind}"${some('code', delta.code)},"message":${quoted(delta.message)},"transient":${delta.transient}`;
    case 'other':
      return `,"event":${quoted(delta.event)},"raw":${quoted(utf8.decode(delta.raw))}`;
    default:
      return '';
  }
}

/** The line of a delta. */
export const line = (delta) => `{"type":"${delta.type}"${members(delta)}}\n`;

/** The last line. */
export const lastLine = (end) => `{"type":"end","complete":${end === 'complete'}}\n`;
