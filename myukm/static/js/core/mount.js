/** Starts the page's modules: calls the default export of sync/page.js with <div
 * data-module="sync/page">. Resolves when all have started or failed. The import is relative, so that
 * its URL has the same digest as this file's URL. */
export function mount() {
  const roots = [...document.querySelectorAll("[data-module]")];
  return Promise.all(roots.map((root) => start(root).catch((error) => console.error(error))));
}

async function start(root) {
  const module = await import(`../${root.dataset.module}.js`);
  module.default(root);
  root.dataset.mounted = "";
}
