// The subscription of this browser, by which the server reaches it while no page is open. It belongs
// to the log-in: whoever logs in next has to switch it on anew.

import { accountId } from "../core/account.js";
import * as api from "../core/api.js";
import { local, read, write } from "../core/storage.js";
import { allowed, ask } from "./notification.js";
import { registration } from "./registration.js";

const RENEW_MS = 86_400_000;

const key = () => `push:${accountId()}`;
/** The log-in of this page: a short name of it, which another log-in does not share. */
const login = () => document.documentElement.dataset.login;

/** What this browser can: "home" (an iPhone does it only from the home screen), "unsupported",
 * "denied" (the person refused it in the browser), "on" or "off". */
export async function state() {
  const apple = /iPhone|iPad/.test(navigator.userAgent);
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

/** Asks for the permission and subscribes; returns the new state. Throws what the browser or the
 * server says. */
export async function switchOn(publicKey) {
  if (!(await ask())) return "denied";
  const worker = await registration();
  if (!worker) return "unsupported";
  await (await worker.pushManager.getSubscription())?.unsubscribe(); // it may be to another key
  const options = { userVisibleOnly: true, applicationServerKey: bytes(publicKey) };
  await store(await worker.pushManager.subscribe(options));
  return "on";
}

async function store(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  const { p256dh, auth } = keys;
  await api.put("/push/subscription", { endpoint, p256dh, auth });
  write(local, key(), { login: login(), at: Date.now() });
}

/** Unsubscribes this browser. */
export async function switchOff() {
  write(local, key(), null);
  await api.remove("/push/subscription");
  await (await current())?.unsubscribe();
}

/** Whether pushed notifications come to this browser, so that a page need not show its own. */
export const isOn = () => allowed() && read(local, key())?.login === login();

/** Stores the subscription again once a day, and after its owner logged in anew: the server forgot it
 * with the old log-in. */
export async function renew() {
  const known = accountId() && read(local, key());
  if (!known || !allowed()) return;
  if (known.login === login() && Date.now() - known.at < RENEW_MS) return;
  const subscription = await current();
  if (subscription) await store(subscription);
  else write(local, key(), null);
}
