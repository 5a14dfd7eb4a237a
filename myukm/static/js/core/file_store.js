// Files that wait to be sent, in IndexedDB under their account, so that a reload or a closed
// browser loses no file. Where IndexedDB is forbidden or full, files are kept until the page
// closes.

const DATABASE = "myukm-files";
const OBJECT_STORE = "waiting";
const memory = new Map();
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(OBJECT_STORE);
    request.onsuccess = () => {
      request.result.onclose = () => {
        opened = null;
      };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** Runs `act` on the object store and resolves to its result once the transaction is committed.
 * Retries once on a new connection, because phones close the connection of a page in the
 * background. */
async function run(mode, act) {
  try {
    return await runOnce(mode, act);
  } catch {
    opened = null;
    return runOnce(mode, act);
  }
}

async function runOnce(mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(OBJECT_STORE, mode);
    const request = act(transaction.objectStore(OBJECT_STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

const keyOf = (owner, id) => `${owner}:${id}`;

/** Stores a file of the account `owner`. */
export async function putFile(owner, id, file) {
  const key = keyOf(owner, id);
  memory.set(key, file);
  await run("readwrite", (store) => store.put(file, key)).catch(() => {});
}

/** Resolves to a stored file, undefined when it is gone or the browser forbids the store. Rejects when
 * the store works but the file cannot be read now. */
export async function getFile(owner, id) {
  const key = keyOf(owner, id);
  if (memory.has(key)) return memory.get(key);
  return run("readonly", (store) => store.get(key)).catch(async (error) => {
    opened = null;
    if (await open().catch(() => null)) throw error;
  });
}

export async function removeFile(owner, id) {
  const key = keyOf(owner, id);
  memory.delete(key);
  await run("readwrite", (store) => store.delete(key)).catch(() => {});
}

/** Removes the files for whose account and id `isGone` returns true. */
export async function removeFiles(isGone) {
  const keys = await run("readonly", (store) => store.getAllKeys()).catch(() => []);
  for (const key of keys) {
    const [owner, id] = key.split(":");
    if (isGone(owner, id)) await removeFile(owner, id);
  }
}
