// Files that wait to be sent, in IndexedDB under their account, so that a reload or a closed browser
// loses none. A browser may forbid it, or it may be full: then they live as long as the page.

const DATABASE = "myukm-files";
const TABLE = "waiting";
const memory = new Map();
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** Runs `act` on the table and resolves to its result once that is stored. */
async function run(mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(TABLE, mode);
    const request = act(transaction.objectStore(TABLE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

const keyOf = (owner, id) => `${owner}:${id}`;

/** Stores a file of the account `owner`. */
export async function putFile(owner, id, file) {
  const key = keyOf(owner, id);
  memory.set(key, file);
  await run("readwrite", (table) => table.put(file, key)).catch(() => {});
}

/** Resolves to a stored file, undefined when it is gone. */
export async function getFile(owner, id) {
  const key = keyOf(owner, id);
  return (
    memory.get(key) ?? (await run("readonly", (table) => table.get(key)).catch(() => undefined))
  );
}

export async function removeFile(owner, id) {
  const key = keyOf(owner, id);
  memory.delete(key);
  await run("readwrite", (table) => table.delete(key)).catch(() => {});
}

/** Removes the files of all accounts for which `isGone` returns true. */
export async function forgetFiles(isGone) {
  const keys = await run("readonly", (table) => table.getAllKeys()).catch(() => []);
  for (const key of keys) {
    const [owner, id] = key.split(":");
    if (isGone(owner)) await removeFile(owner, id);
  }
}
