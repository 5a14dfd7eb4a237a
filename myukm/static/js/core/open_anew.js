/** Opens the page's address again. A reload would submit a form again if the page is the response
 * to a POST. */
export const openAnew = () => location.replace(location.pathname + location.search);
