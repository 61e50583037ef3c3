/** An `AbortSignal` of the platform. */
export type CallSignal = typeof globalThis extends { AbortSignal: { prototype: infer S } }
  ? S
  : SignalLike;

/** A `Blob` of the platform. */
export type BinaryData = typeof globalThis extends { Blob: { prototype: infer B } }
  ? B
  : { readonly size: number; readonly type: string };

/** A file to upload: a `Blob` or `File`, a `Blob` with a name, or a file of React Native. */
export type FileInput =
  | BinaryData
  | { readonly data: BinaryData; readonly name: string }
  | { readonly uri: string; readonly name: string; readonly type: string };

/** What a `fetch` returns, as far as this client reads it. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body?: unknown;
  text(): Promise<string>;
  blob(): Promise<unknown>;
}

/** The function `fetch`, or one of its form. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- RequestInit differs by platform
export type Fetch = (url: string, init?: any) => Promise<HttpResponse>;

interface SignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

interface FormLike {
  append(name: string, value: unknown, fileName?: string): void;
}

interface Platform {
  fetch?: Fetch;
  crypto?: { randomUUID?(): string; getRandomValues?(bytes: Uint8Array): unknown };
  AbortController: new () => { readonly signal: SignalLike; abort(reason?: unknown): void };
  FormData: new () => FormLike;
  TextDecoder?: new () => { decode(bytes?: unknown, options?: { stream: boolean }): string };
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** The globals that browsers, Node, Deno, Bun and React Native share, without their types. */
const platform = globalThis as unknown as Platform;
