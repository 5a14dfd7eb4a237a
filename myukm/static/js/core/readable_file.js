/** Whether the browser can still read a file: not a folder, nor one that was changed or removed after it
 * was chosen. Sending such a file fails like sending one without a network. */
export async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
