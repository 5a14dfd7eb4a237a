import { syncFromHeader } from "./clock.js";
import { t } from "./i18n.js";

/** A phone between two cells hears nothing more of what it asked; its browser waits for minutes. */
const REQUEST_TIMEOUT_MS = 20_000;

const { account } = document.documentElement.dataset;

/** A refused or failed call: `status` is 0 when the server was not reached. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function failure(response) {
  const body = await response.json().catch(() => null);
  const fallback = t("unknown_error", { status: response.status });
  return new ApiError(
    response.status,
    body?.error?.code ?? "unknown",
    body?.error?.message ?? fallback,
  );
}

/** For what must work on the way to the server and back. */
const networkErrors = (work) =>
  work.catch(() => {
    throw new ApiError(0, "network", t("network_error"));
  });

async function call(method, url, body) {
  const headers = { Accept: "application/json" };
  if (account) headers["X-Account"] = account;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  const signal = AbortSignal.timeout?.(REQUEST_TIMEOUT_MS);
  const response = await networkErrors(fetch(url, { method, headers, body: text, signal }));
  syncFromHeader(response.headers.get("Date"));
  if (!response.ok) throw await failure(response);
  // The log-in page of a wireless network answers in the server's place, and calls it a success.
  return response.status === 204 ? null : networkErrors(response.json());
}

export const get = (url) => call("GET", url);
export const post = (url, body = {}) => call("POST", url, body);
export const put = (url, body = {}) => call("PUT", url, body);
export const patch = (url, body) => call("PATCH", url, body);
export const remove = (url) => call("DELETE", url);
