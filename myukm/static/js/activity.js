import * as api from "./api.js";

const REST_MS = 60_000;
let told = performance.now(); // opening a page counts already

/** Tells the server at most once a minute that somebody is at this page: who is not, is away. */
export function startActivity() {
  if (!document.documentElement.dataset.topics) return;
  for (const type of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(type, tell, { passive: true });
  }
}

function tell() {
  if (performance.now() - told < REST_MS) return;
  told = performance.now();
  api.post("/presence").catch(() => {});
}
