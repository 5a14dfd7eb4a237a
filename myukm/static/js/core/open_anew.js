/** Opens the page's address again. Unlike a reload it never sends a form again, to which the page may be
 * the answer. */
export const openAnew = () => location.replace(location.pathname + location.search);
