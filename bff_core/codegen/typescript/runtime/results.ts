/** How a part of a screen ended; the values of `ok` and `stale` parts are complete. */
export type PartState = "ok" | "stale" | "partial" | "fallback" | "missing" | "forbidden";

/** Why a part is not complete; services and gateways have further reasons. */
export type PartReason =
  | "timeout" | "not_found" | "shed" | "part_cancelled" | "error" | "dependency"
  | (string & {});

/** The state of a part, the reason if it is degraded, and the age of a stored value in seconds. */
export interface PartStatus {
  readonly status: PartState;
  readonly reason?: PartReason;
  readonly age?: number;
}

/** The states of the parts that ran, by their names. */
export type Parts<Name extends string = string> = { readonly [N in Name]?: PartStatus };

/** A fault of one input: `pointer` is a JSON pointer (RFC 6901) into that part of the request. */
export interface ProblemError {
  readonly in: "body" | "query" | "path" | "header" | "cookie" | "";
  readonly pointer: string;
  readonly detail: string;
  readonly type: string;
  readonly line?: number;
  readonly column?: number;
}

/** Problem details (RFC 9457). Compare `code`, which is stable. */
export interface Problem<Code extends string = string> {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: Code | (string & {});
  readonly detail?: string;
  readonly request_id?: string;
  readonly trace_id?: string;
  readonly part?: string;
  readonly retry_after?: number;
  readonly errors?: readonly ProblemError[];
  readonly [extension: string]: unknown;
}

/** The codes of problems by status. A gateway may have further codes of its own. */
export interface ProblemCodes {
  readonly 400: "bad_request" | "sign_in_failed" | "unsafe_path";
  readonly 401:
    | "not_authenticated" | "session_ended" | "insufficient_user_authentication" | "unauthorized";
  readonly 402: "payment_required";
  readonly 403: "not_allowed" | "csrf" | "forbidden";
  readonly 404: "not_found";
  readonly 409:
    | "conflict" | "duplicate_item" | "idempotency_key_in_use" | "saga_under_way";
  readonly 410: "gone";
  readonly 412: "precondition_failed";
  readonly 413: "content_too_large";
  readonly 415: "grpc_not_forwarded" | "unsupported_media_type";
  readonly 422: "invalid_input" | "idempotency_key_reused" | "unprocessable_content";
  readonly 423: "locked";
  readonly 429: "too_many_requests";
  readonly 500:
    | "internal_error" | "internal_server_error" | "configuration_error" | "composition_cycle"
    | "part_failed" | "part_cancelled" | "saga_failed";
  readonly 502:
    | "unavailable" | "protocol_error" | "tls_certificate_expired"
    | "tls_certificate_not_yet_valid" | "tls_certificate_invalid" | "tls_wrong_host"
    | "tls_unknown_issuer" | "tls_client_certificate" | "tls_failed" | "bad_status"
    | "bad_payload" | "upstream_error" | "bad_gateway";
  readonly 503:
    | "affinity_lost" | "overloaded" | "store_unavailable" | "provider_unavailable" | "circuit_open"
    | "bulkhead_full" | "credentials_unavailable" | "not_sent" | "not_attempted" | "interrupted"
    | "bad_status" | "service_unavailable";
  readonly 504:
    | "deadline_exceeded" | "timeout" | "saga_unsettled" | "bad_status" | "gateway_timeout";
}

/** A rate limit of the caller: `remaining` of `quota`, full again after `resetSeconds`. */
export interface RateLimit {
  readonly policy: string;
  readonly remaining: number;
  readonly resetSeconds: number | undefined;
  readonly quota: number | undefined;
  readonly windowSeconds: number | undefined;
}

/** The header fields of a response, by any case of their names. */
export interface ResponseHeaders {
  get(name: string): string | null;
}

/** A response of the gateway with its data. */
export interface Success<T, Name extends string = string> {
  readonly ok: true;
  readonly status: number;
  readonly data: T;
  /** The states of the screen's parts; empty if the view has no screen. */
  readonly parts: Parts<Name>;
  /** Whether a part is degraded: its value is a fallback, incomplete, missing or forbidden. */
  readonly isPartial: boolean;
  /** Whether the gateway answered 304, and `data` is the stored value. */
  readonly isNotModified: boolean;
  /** Whether it is the stored answer to an earlier write with the same key. */
  readonly isReplayed: boolean;
  /** The key of this write; undefined for reads. */
  readonly idempotencyKey: string | undefined;
  readonly etag: string | undefined;
  readonly requestId: string | undefined;
  readonly rateLimits: readonly RateLimit[];
  readonly headers: ResponseHeaders;
  /** How many requests were sent. */
  readonly attempts: number;
}

interface FailureFacts {
  readonly ok: false;
  readonly message: string;
  /** The status of the response; 0 if there is none. */
  readonly status: number;
  readonly requestId: string | undefined;
  /** Seconds to wait before the next attempt, if the response says so. */
  readonly retryAfterSeconds: number | undefined;
  readonly rateLimits: readonly RateLimit[];
  /** The key of this write: call again with it to repeat the write safely. */
  readonly idempotencyKey: string | undefined;
  readonly attempts: number;
  readonly data?: undefined;
}

/** The gateway answered with a problem. */
export interface ProblemFailure<Code extends string = string> extends FailureFacts {
  readonly kind: "problem";
  readonly problem: Problem<Code>;
  readonly headers: ResponseHeaders;
}

/** A response that is neither the documented one nor a problem, such as the page of a proxy. */
export interface HttpFailure extends FailureFacts {
  readonly kind: "http";
  /** The body: a value if it is JSON, else its text, of 10,000 characters at most. */
  readonly body: unknown;
  readonly headers: ResponseHeaders;
  readonly problem?: undefined;
}

/** There is no complete response: no connection, or it was cut off. */
export interface NetworkFailure extends FailureFacts {
  readonly kind: "network";
  readonly cause: unknown;
  readonly problem?: undefined;
}

/** The call took longer than its `timeoutMs`. */
export interface TimeoutFailure extends FailureFacts {
  readonly kind: "timeout";
  readonly problem?: undefined;
}

/** The caller aborted the call by its signal. */
export interface AbortFailure extends FailureFacts {
  readonly kind: "aborted";
  readonly cause: unknown;
  readonly problem?: undefined;
}

/** Why a call has no data. */
export type Failure<Code extends string = string> =
  | ProblemFailure<Code> | HttpFailure | NetworkFailure | TimeoutFailure | AbortFailure;

/** What a call returns: check `ok`, or use `unwrap`. */
export type Result<T, Name extends string = string, Code extends string = string> =
  | Success<T, Name> | Failure<Code>;

/** A failure as an error: of `unwrap`, and of a stream that fails after its first line. */
export class ApiError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = "ApiError";
    this.failure = failure;
  }
}

/** Return the data of a result; throw an `ApiError` if it is a failure. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.data;
  throw new ApiError(result);
}
