/** A token, nothing for an anonymous viewer, or a promise of one of them. */
export type Token = string | null | undefined | Promise<string | null | undefined>;

/** Header fields by their names; undefined ones are not sent. */
export type HeaderFields = Readonly<Record<string, string | undefined>>;

/** A request that is about to be sent. */
export interface RequestFacts {
  readonly method: string;
  readonly url: string;
  readonly token: string | null;
}

/** Where answers with an ETag are stored. */
export interface EtagStore {
  get(key: string): EtagEntry | undefined | Promise<EtagEntry | undefined>;
  set(key: string, entry: EtagEntry): void | Promise<void>;
  delete(key: string): void | Promise<void>;
  clear(): void | Promise<void>;
}

/** A stored answer: its tag, its text, its parts, and the request headers that it depends on. */
export interface EtagEntry {
  readonly etag: string;
  readonly text: string;
  readonly parts: string;
  readonly vary: HeaderFields;
}

/** How failed requests are repeated. */
export interface RetryOptions {
  /** Requests of one call, the first included (3). 1: no repetition. */
  readonly attempts?: number | undefined;
  /** The first delay in milliseconds (200); it doubles each time, with jitter. */
  readonly delayMs?: number | undefined;
  /** The longest delay in milliseconds (10,000): a longer `Retry-After` ends the call. */
  readonly maxDelayMs?: number | undefined;
}

/** The options of a client. */
export interface ClientOptions {
  /** Where the gateway is: "https://api.shop.example". Empty: the origin of the page. */
  readonly baseUrl: string;
  /**
   * The access token, or a function that returns it before each request. After a 401 it is called
   * once with the refused token; if it returns another one, the request is repeated.
   */
  readonly token?: string | ((refused?: string) => Token) | undefined;
  /** The scheme of `Authorization` ("Bearer"). */
  readonly tokenScheme?: string | undefined;
  /** Header fields of each request, such as `Accept-Language`, an API key or a DPoP proof. */
  readonly headers?:
    | HeaderFields
    | ((request: RequestFacts) => HeaderFields | Promise<HeaderFields>)
    | undefined;
  /** The version of the app, sent as `X-App-Version`. */
  readonly appVersion?: string | undefined;
  /** Whether cookies are sent; for gateways with sessions "include", else the platform decides. */
  readonly credentials?: "include" | "same-origin" | "omit" | undefined;
  /** How long a call may take, with its repetitions, in milliseconds (30,000). */
  readonly timeoutMs?: number | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Where answers with an ETag are stored (memory). False: nowhere. */
  readonly etags?: EtagStore | false | undefined;
  /** A function in place of `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** A function in place of waiting before a repetition, for tests. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined;
}

/** The options of a call. */
export interface CallOptions {
  readonly signal?: CallSignal | undefined;
  /** How long it may take, with its repetitions, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  readonly headers?: HeaderFields | undefined;
  readonly retry?: RetryOptions | undefined;
  /** False: neither use nor store an ETag. */
  readonly etag?: boolean | undefined;
}

/** The options of a call that changes something. */
export interface WriteOptions extends CallOptions {
  /**
   * The key that makes repetitions of this write safe. Without it the client makes one for each
   * call. Give your own to repeat a call, such as after a restart of the app.
   */
  readonly idempotencyKey?: string | undefined;
}

/** Return a store in memory, which drops what was unused longest. */
export function memoryEtagStore(maxEntries = 200, maxCharacters = 4_000_000): EtagStore {
  const entries = new Map<string, EtagEntry>();
  let characters = 0;
  const drop = (key: string): void => {
    characters -= entries.get(key)?.text.length ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry !== undefined) {
        entries.delete(key);
        entries.set(key, entry);
      }
      return entry;
    },
    set(key, entry) {
      drop(key);
      if (entry.text.length > maxCharacters / 4) return;
      entries.set(key, entry);
      characters += entry.text.length;
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && characters <= maxCharacters) break;
        drop(oldest);
      }
    },
    delete: drop,
    clear() {
      entries.clear();
      characters = 0;
    },
  };
}
