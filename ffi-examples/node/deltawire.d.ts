/** The version of the library, such as "0.1.0". */
export const version: string;

/** The names of all dialects, as the option `dialect` takes them. */
export const dialects: readonly string[];

export type End =
  /** Nobody has said yet. */
  | 'unknown'
  /** All came. */
  | 'complete'
  /** Something is missing, or an error took its place. */
  | 'truncated'
  /** It was no stream of a known provider; `Decoder.seen` has its beginning. */
  | 'unrecognised';

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error' | 'other';

export type ErrorKind =
  | 'authentication' | 'permission' | 'not_found' | 'rate_limit' | 'overloaded' | 'context_length'
  | 'invalid_request' | 'content_filter' | 'timeout' | 'server' | 'other';

/** Token counts with the provider's meaning; absent ones the stream did not give. */
export interface Usage {
  inputTokens?: Count;
  outputTokens?: Count;
  totalTokens?: Count;
  cachedTokens?: Count;
  cacheCreationTokens?: Count;
  reasoningTokens?: Count;
}

/** A number where it is exact, which is below 2^53, else a bigint. */
export type Count = number | bigint;

/**
 * One piece of news from a stream. Strings are empty where the provider gave nothing. A type that is
 * newer than this file has no other members: pass over what you do not know.
 */
export type Delta =
  /** The message begins. Comes again where the provider changes one of these. */
  | { type: 'start'; id: string; model: string; role: string }
  /** A piece of the reply, of the model's reasoning, of its refusal, to be appended. */
  | { type: 'text' | 'reasoning' | 'refusal'; choice: number; text: string }
  /** A tool call begins, or gets the ID or name it lacked; `server_…` of a tool the provider runs. */
  | { type: 'tool_call_start' | 'server_tool_call_start'; choice: number; index: number; id: string; name: string }
  /** A piece of its arguments, which are JSON; if `whole` all of them, in place of those before. */
  | {
      type: 'tool_call_arguments' | 'server_tool_call_arguments';
      choice: number;
      index: number;
      fragment: string;
      whole: boolean;
    }
  /** A choice is at its end; `raw` is the provider's word for it. */
  | { type: 'finish'; choice: number; reason: FinishReason; raw: string }
  /** Token counts so far. Each number replaces the one before it. */
  | ({ type: 'usage' } & Usage)
  /** The provider reports an error; if `transient`, the same request may succeed later. */
  | { type: 'error'; kind: ErrorKind; code: string; message: string; transient: boolean; raw: Uint8Array }
  /** What has no place among the others. `raw` is the whole payload, which need not be UTF-8. */
  | { type: 'other'; event: string; raw: Uint8Array }
  /** The provider's own end of the stream. Comes once; more may follow it. */
  | { type: 'done' }
  /** One event could not be read. It is no throw since the stream goes on behind it. */
  | { type: 'event_error'; error: EventError };

/** What failed. Of these themselves: an argument, or a fault in the library. */
export class DeltawireError extends Error {
  /** The name of the status in deltawire.h, such as "DW_ERR_ARGUMENT". */
  readonly status: string;
}

/** An event, or a whole response, that could not be read. */
export class EventError extends DeltawireError {
  /** Where it begins, in bytes from the start of the stream. */
  readonly offset: Count;
  /** How far into its payload it is JSON, in bytes, where that is what is wrong with it. */
  readonly at: Count;
}

/** Why a request was not answered, or not to its end. The key is in none of these texts. */
export class TransportError extends DeltawireError {
  /** The HTTP status of a refusal, such as 429. */
  readonly httpStatus?: number;
  /** What the provider says went wrong, of a refusal. */
  readonly kind?: ErrorKind;
  /** Whether the same request may succeed later. */
  readonly transient: boolean;
  /** How long the server asks to wait, in milliseconds; 0 if it does not. */
  readonly retryAfterMs: Count;
  /** The provider's code, else its type. */
  readonly code: string;
  /** The provider's message. */
  readonly said: string;
  /** What the provider calls the request. */
  readonly requestId: string;
  /** The body of the refusal, up to 64 KiB of it. */
  readonly body: string;
}

/** The request was cancelled. `name` is "AbortError", `cause` the reason of the signal if there was one. */
export class CancelledError extends TransportError {}

export interface DecoderOptions {
  /** One of `dialects`; "auto", which recognises it by the first events, if absent. */
  dialect?: string;
  framing?: 'auto' | 'sse' | 'ndjson' | 'event-stream';
  /** What becomes of an event whose blank line is missing at the end of the stream. */
  eof?: 'default' | 'discard' | 'flush';
  /** The largest event that is accepted, in bytes; 16 MiB if absent. */
  maxEventBytes?: number;
  /** A member of an OpenAI chat delta that carries text besides those that are known. */
  textField?: string;
  /** The same for reasoning. */
  reasoningField?: string;
  /** False does without templates: slower by far, the same deltas. */
  templates?: boolean;
  /** How many deltas a call into the library reads at most, from 1 to 256, which it is if absent. */
  batch?: number;
}

/**
 * Reads one response. What it gives is copied and stays as it is. After `close`, everything but
 * `close` throws a TypeError.
 */
export class Decoder {
  /** Throws a TypeError for a name that is not known. */
  constructor(options?: DecoderOptions);
  /**
   * The deltas of the next bytes of the body, cut wherever they may be. They are copied, so the chunk
   * may be used again. A chunk is read to its end, whether or not the deltas are looked at.
   */
  feed(chunk: Uint8Array): Delta[];
  /** The deltas of what the body left unfinished at its end. Then `end` says how it ended. */
  finish(): Delta[];
  /** Forgets the stream and begins another one. */
  reset(): void;
  /** How the stream ended, or would have if it ended here. */
  readonly end: End;
  /** Whose response it is, as soon as it is known. */
  readonly dialect: string | undefined;
  /** How many bytes were used. */
  readonly offset: Count;
  /** How many events were dispatched. */
  readonly events: Count;
  /** The lines that are no part of an event stream, up to 64 KiB of them, such as a web page. */
  readonly seen: Uint8Array;
  /** Frees the decoder. A second time it does nothing. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Deltas as they come. To leave `for await` early ends it: `return` is called, and waits for the end. */
export interface DeltaStream extends AsyncIterableIterator<Delta> {
  /** How it ended. A stream that ends without "complete" is cut, though nothing is thrown. */
  readonly end: End;
  return(value?: unknown): Promise<IteratorResult<Delta>>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface BodyDeltas extends DeltaStream {
  /** Whose response it is, as soon as it is known. */
  readonly dialect: string | undefined;
}

/**
 * The deltas of a body: `response.body` of `fetch`, or any async iterable of chunks. What the body
 * throws, it throws. To leave it early cancels the body.
 */
export function deltas(body: AsyncIterable<Uint8Array>, options?: DecoderOptions): BodyDeltas;

export interface Choice {
  index: number;
  /** Why it ended, if it has. */
  reason: FinishReason | undefined;
  /** The same in the provider's words. */
  raw: string;
  text: string;
  reasoning: string;
  refusal: string;
}

export interface ToolCall {
  choice: number;
  index: number;
  id: string;
  name: string;
  /** JSON text, if the model wrote it right. */
  arguments: string;
}

/** A reply put together. Each property is asked of the library and copied. */
export class Message {
  /** Takes in a delta. An `event_error` says nothing of the reply and is passed over. */
  push(delta: Delta): void;
  /** Notes how the stream ended. */
  finish(end: Exclude<End, 'unknown'>): void;
  /**
   * Reads a whole response, which was not streamed, in place of what the message had. Throws an
   * EventError if it is not JSON, or not that of a known provider.
   */
  read(body: string | Uint8Array): void;
  readonly id: string;
  readonly model: string;
  readonly role: string;
  readonly usage: Usage;
  /** In the order of their indexes. */
  readonly choices: Choice[];
  /** The text of the first choice. */
  readonly text: string;
  /** In the order in which they began. */
  readonly toolCalls: ToolCall[];
  /** The same of tools that the provider ran itself. */
  readonly serverToolCalls: ToolCall[];
  readonly end: End;
  /** Whether the stream came to its end and reported no error. */
  readonly isComplete: boolean;
  /** The first error that the provider reported. */
  readonly error: { kind: ErrorKind; code: string; message: string; transient: boolean } | undefined;
  /** Frees the message. A second time it does nothing. */
  close(): void;
  [Symbol.dispose](): void;
}

export interface ClientOptions {
  /** Whose conventions requests follow; "openai" if absent. */
  provider?: 'openai' | 'azure' | 'anthropic' | 'gemini' | 'ollama';
  /** What precedes every path, such as "https://api.openai.com/v1". */
  baseUrl?: string;
  key?: string;
  /** Azure's `api-version`. */
  apiVersion?: string;
  /** "http://…", "socks5://…", "direct" for none; what the environment says if absent. */
  proxy?: string;
  /** A file of certificates in PEM that are trusted in place of Mozilla's. */
  caFile?: string;
  headers?: Record<string, string>;
  /** In milliseconds; Infinity for no limit, absent or 0 for the default. */
  timeouts?: {
    /** For a connection: 10 s. */
    connect?: number;
    /** For the first byte of the body: 600 s. */
    firstByte?: number;
    /** For the next bytes: 300 s. */
    idle?: number;
    /** For more than comments and pings: no limit. */
    content?: number;
  };
  /** How many attempts besides the first; 2 if absent. */
  retries?: number;
  /** The largest whole response that is accepted, in bytes; 16 MiB if absent. */
  maxResponseBytes?: number;
  decoder?: DecoderOptions;
}

/** A conversation, which is put as the provider wants it; or `path` and `json`, which are sent as they are. */
export interface Request {
  model?: string;
  messages?: { role: string; content: string }[];
  maxTokens?: number;
  /** How many choices. */
  n?: number;
  temperature?: number;
  /** Asks for token counts, which some providers send only then. */
  includeUsage?: boolean;
  /** Where to post to: a path below the base URL, or a whole URL. */
  path?: string;
  /** The body, as text or to be made text; it asks for a stream itself. */
  json?: unknown;
}

export interface RequestOptions {
  /** Cancels the request, at once. */
  signal?: AbortSignal;
}

/** Whom to ask. Requests wait on the threads of Node's pool, so the event loop goes on. */
export class Client {
  /** Throws a DeltawireError for options with which nothing can be asked. */
  constructor(options?: ClientOptions);
  /** The deltas of a request, which is sent when the first is asked for. */
  stream(request: Request, options?: RequestOptions): RequestStream;
  /** The whole response, which is not streamed. Throws a TransportError. */
  fetch(request: Request, options?: RequestOptions): Promise<Message>;
  /** Frees the client. Its streams go on. A second time it does nothing. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Throws a TransportError where no response came or it broke off, after all that came before. */
export interface RequestStream extends DeltaStream {
  /** Ends the request: what waits on it throws a CancelledError at once. */
  cancel(): void;
}
