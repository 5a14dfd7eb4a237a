// Uploads one file, with its progress. fetch() does not report how much of a body was sent.

import { accountId } from "../core/account.js";
import { ApiError } from "../core/api.js";
import { t } from "../core/i18n.js";

/** An upload without progress for this long is aborted; the outbox retries it. */
const STALLED_MS = 60_000;

function failure(request) {
  const error = request.response?.error;
  const fallback = t("unknown_error", { status: request.status });
  const wait = Number(request.getResponseHeader("Retry-After")) * 1000 || null;
  return new ApiError(request.status, error?.code ?? "unknown", error?.message ?? fallback, wait);
}

/** Posts a file and resolves to the file object of the response. `progress` is called with the
 * share that is sent, from 0 to 1; `signal` aborts. Rejects with an ApiError, whose status is 0
 * without a response. */
export function upload(url, file, { name, clientId, progress, signal }) {
  const form = new FormData();
  form.append("client_id", clientId);
  form.append("file", file, name);
  const request = new XMLHttpRequest();
  request.open("POST", url);
  request.responseType = "json";
  request.setRequestHeader("Accept", "application/json");
  if (accountId()) request.setRequestHeader("X-Account", accountId());
  return new Promise((resolve, reject) => {
    const lost = () => reject(new ApiError(0, "network", t("network_error")));
    let timer = setTimeout(() => request.abort(), STALLED_MS);
    request.upload.onprogress = ({ loaded, total }) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), STALLED_MS);
      progress(loaded / total);
    };
    request.onload = () => {
      // A wireless network may answer with its own log-in page and status 200, which is no JSON.
      if (request.status < 300) request.response ? resolve(request.response) : lost();
      else reject(failure(request));
    };
    request.onerror = lost;
    request.onabort = lost;
    request.onloadend = () => clearTimeout(timer);
    signal.addEventListener("abort", () => request.abort());
    if (signal.aborted) lost();
    else request.send(form);
  });
}
