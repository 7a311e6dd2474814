// Keeps what is said and what is being written, for a page that reloads when its server is back.
(...values) => {
  if (!window.tonesmithRecalled) return;
  try {
    sessionStorage.setItem("tonesmith-kept", JSON.stringify(values));
  } catch {
    // More than the browser keeps: the page works on without.
  }
}
