// Brings back what this tab kept before it was loaded again.
(...values) => {
  window.tonesmithRecalled = true;
  const kept = JSON.parse(sessionStorage.getItem("tonesmith-kept") || "[]");
  return kept.length === values.length ? kept : values;
}
