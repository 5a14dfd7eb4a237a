import { accountId } from "./account.js";
import { syncFromHeader } from "./clock.js";
import { t } from "./i18n.js";
import { localized } from "./localized.js";

/** Without a time-out a phone whose response was lost between two cells would wait for minutes. */
export const REQUEST_TIMEOUT_MS = 20_000;

/** A refused or failed call. `status` is 0 when no response came; `retryAfterMs` is the
 * `Retry-After` of the response in milliseconds, null without that header. */
export class ApiError extends Error {
  constructor(status, code, message, retryAfterMs = null) {
    super(message);
    Object.assign(this, { status, code, retryAfterMs });
  }
}

async function failure(response) {
  const body = await response.json().catch(() => null);
  const fallback = t("unknown_error", { status: response.status });
  return new ApiError(
    response.status,
    body?.error?.code ?? "unknown",
    body?.error?.message ?? fallback,
    Number(response.headers.get("Retry-After")) * 1000 || null,
  );
}

/** Turns a failure of the network into an ApiError with status 0. */
export const networkErrors = (work) =>
  work.catch(() => {
    throw new ApiError(0, "network", t("network_error"));
  });

async function call(method, url, body) {
  const headers = { Accept: "application/json" };
  const account = accountId();
  if (account) headers["X-Account"] = account;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  const signal = AbortSignal.timeout?.(REQUEST_TIMEOUT_MS);
  const response = await networkErrors(fetch(url, { method, headers, body: text, signal }));
  syncFromHeader(response.headers.get("Date"));
  if (!response.ok) throw await failure(response);
  // A wireless network may answer with its own log-in page, which has status 200 and is not JSON.
  return response.status === 204 ? null : localized(await networkErrors(response.json()));
}

export const get = (url) => call("GET", url);
export const post = (url, body = {}) => call("POST", url, body);
export const put = (url, body = {}) => call("PUT", url, body);
export const patch = (url, body) => call("PATCH", url, body);
export const remove = (url) => call("DELETE", url);
