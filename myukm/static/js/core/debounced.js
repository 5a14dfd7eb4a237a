/** Makes a function that calls `task` once, `ms` milliseconds after the last of its calls. */
export function debounced(task, ms) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(task, ms);
  };
}
