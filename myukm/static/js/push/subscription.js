// The subscription of this browser, by which the server reaches it while no page is open. It belongs
// to one log-in: the next person who logs in here has to switch it on anew.

import { accountId } from "../core/account.js";
import * as api from "../core/api.js";
import { local, read, write } from "../core/storage.js";
import { allowed, ask } from "./notification.js";
import { registration } from "./registration.js";

const RENEW_MS = 86_400_000;

const key = () => `push:${accountId()}`;
/** A short name of this page's log-in, different for each. */
const login = () => document.documentElement.dataset.login;

/** Runs `task` after those of this kind that this and other tabs have begun: two at once could store a
 * subscription that has just been replaced or ended. */
const alone = (task) => (navigator.locks ? navigator.locks.request("push", task) : task());

/** The state of pushes in this browser: "home" (iPhones and iPads have them only when started from the
 * home screen), "unsupported", "denied" (the person refused them in the browser), "on" or "off". */
export async function state() {
  const { userAgent, maxTouchPoints } = navigator;
  const isIpad = /Macintosh/.test(userAgent) && maxTouchPoints > 1; // it calls itself a Mac
  const apple = isIpad || /iPhone|iPad/.test(userAgent);
  if (!("PushManager" in window) || !window.Notification) return apple ? "home" : "unsupported";
  if (Notification.permission === "denied") return "denied";
  return allowed() && read(local, key())?.login === login() && (await current()) ? "on" : "off";
}

async function current() {
  const worker = await registration();
  return worker ? worker.pushManager.getSubscription() : null;
}

function bytes(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Asks for the permission and subscribes with the server's `publicKey` (base64url); resolves to the
 * new state. Rejects with the error of the browser or the server. */
export async function switchOn(publicKey) {
  return (await ask()) ? alone(() => subscribe(publicKey)) : state();
}

async function subscribe(publicKey) {
  const worker = await registration();
  if (!worker) return "unsupported";
  await (await worker.pushManager.getSubscription())?.unsubscribe(); // the old key may differ
  const options = { userVisibleOnly: true, applicationServerKey: bytes(publicKey) };
  await store(await worker.pushManager.subscribe(options));
  return "on";
}

async function store(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  const { p256dh, auth } = keys;
  await api.put("/push/subscription", { endpoint, p256dh, auth });
  write(local, key(), { login: login(), at: Date.now(), endpoint });
}

/** Unsubscribes this browser. Without network the server is told by the push service at the next
 * notification. */
export const switchOff = () =>
  alone(async () => {
    await (await current())?.unsubscribe();
    write(local, key(), null);
    await api.remove("/push/subscription").catch((error) => console.info(error.message));
  });

/** Sends the subscription to the server again: once a day; after each log-in of its owner, because the
 * server deletes it with the old log-in; and when the browser has renewed it. */
export const renew = () => alone(renewNow);

async function renewNow() {
  const sent = accountId() && read(local, key());
  if (!sent || !allowed()) return;
  const subscription = await current();
  const isSame = sent.login === login() && sent.endpoint === subscription?.endpoint;
  if (isSame && Date.now() - sent.at < RENEW_MS) return;
  if (subscription) await store(subscription);
  else write(local, key(), null);
}
