/** The id of the account that this page was made for; undefined where nobody is logged in. */
export const accountId = () => document.documentElement.dataset.account;
