/** Starts the page's modules: <div data-module="sync/page"> is given to the default export of
 * sync/page.js. Resolves when all have started; the address is relative, so that it carries the
 * digest of this file's own. */
export function mount() {
  const roots = [...document.querySelectorAll("[data-module]")];
  return Promise.all(
    roots.map(async (root) => {
      const module = await import(`../${root.dataset.module}.js`);
      module.default(root);
      root.dataset.mounted = "";
    }),
  );
}
